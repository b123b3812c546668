import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'
import { type Firing, readFiring } from '../read-firing'
import { listSilences, SILENCES_MAX } from './list'
import { matches, overlap } from './match'
import type { SilenceView } from './view'

const HOUR_MS = 3_600_000
/** Up to here a silence is taken back as lightly as it was made. */
const LIGHT_MS_MAX = HOUR_MS
/** A quarter: what should be quiet for longer is a wrong target. */
const SILENCE_MS_MAX = 90 * 24 * HOUR_MS

const moment = z.iso
  .datetime({ offset: true, error: 'a time like 2026-11-22T10:00:00Z' })
  .transform((value) => new Date(value))

export const silenceTermsSchema = z.strictObject({
  kind: z
    .enum(CONDITION_KINDS, `one of ${CONDITION_KINDS.join(', ')}`)
    .nullable()
    .default(null),
  subject: z.string().trim().min(1).max(200).nullable().default(null),
  prefix: z.boolean().default(false),
  environment: z.string().trim().min(1).max(60).nullable().default(null),
  startsAt: moment.optional(),
  endsAt: moment,
})
export type SilenceTerms = z.output<typeof silenceTermsSchema>

/** 1 = reason and undo; 2 = what was looked at goes along, and a reason of some length. */
export type SilenceTier = 1 | 2

export type SilencePreview = {
  tier: SilenceTier
  /** Alerts that fire now and match. */
  matching: Firing[]
  /** Silences that hold or are planned and could concern the same alerts. */
  similar: SilenceView[]
  /** Of all that is above: a longer silence has to name it. */
  evidenceHash: string
}

/** What a silence would concern. Changes nothing. Throws `invalid` when its time makes no sense. */
export async function previewSilence(db: Db, now: Date, terms: SilenceTerms): Promise<SilencePreview> {
  const tier = tierOf(terms, now)
  const [firing, silences] = await Promise.all([
    readFiring(db, now),
    listSilences(db, now, { state: ['active', 'scheduled'] }, { limit: SILENCES_MAX }),
  ])
  const matching = firing.filter((alert) => matches(terms, alert))
  const similar = silences.items.filter((silence) => overlap(terms, silence))
  const seen = {
    matching: matching.map(({ id }) => id).sort(),
    similar: similar.map(({ id, endsAt }) => `${id} ${endsAt}`).sort(),
  }
  const evidenceHash = createHash('sha256').update(canonicalJson(seen)).digest('hex').slice(0, 32)
  return { tier, matching, similar, evidenceHash }
}

function tierOf({ kind, subject, startsAt, endsAt }: SilenceTerms, now: Date): SilenceTier {
  const wrong = (detail: string) => new AppError('invalid', detail)
  if (kind === null && subject === null)
    throw wrong('kind or subject: name at least one; a silence of everything hides what nobody expected.')
  const from = startsAt === undefined || startsAt < now ? now : startsAt
  if (endsAt <= from) throw wrong('endsAt: must come after the beginning, and after now.')
  const lengthMs = endsAt.getTime() - from.getTime()
  if (lengthMs > SILENCE_MS_MAX) throw wrong('endsAt: at most 90 days after the beginning.')
  return lengthMs <= LIGHT_MS_MAX ? 1 : 2
}
