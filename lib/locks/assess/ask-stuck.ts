import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { KeySettings } from '../settings'
import type { LeaseReading } from './holder-life'
import type { Asker } from './inspect'
import { storeDigest } from './lock-version'
import { type ProviderAnswer, providerAnswerSchema } from './provider-answer'

/** Keys of one source that one check asks the provider about. */
const ASKED_MAX = 500
/** Questions under way at a time; the provider's own budget spaces their calls out. */
const AT_ONCE = 8

/** What the provider said of a lease as it is now: `at`, on the console's clock. */
type Kept = { answer: ProviderAnswer; at: number }

/**
 * What the provider says of each of these leases. An answer that is sure and not older than `settings.askAgainMs` is not
 * asked for again, unless its lease has changed since: an act always asks anew. First come those never asked about, then
 * those asked about the longest ago; the others keep what was said.
 */
export async function askStuck(
  ctx: SystemContext,
  sourceId: string,
  asker: Asker,
  stuck: readonly LeaseReading[],
  settings: KeySettings,
): Promise<Map<LeaseReading, ProviderAnswer>> {
  const kept = stuck.length === 0 ? new Map<string, Kept>() : await keptAnswers(ctx, sourceId)
  const all = stuck.map((reading) => ({ reading, kept: kept.get(nameOf(reading.lease)) }))
  const now = ctx.clock.now().getTime()
  const asked = all
    .filter((each) => each.kept === undefined || !isFresh(each.kept, now, settings))
    .sort((a, b) => (a.kept?.at ?? 0) - (b.kept?.at ?? 0))
    .slice(0, ASKED_MAX)
    // One listing of the provider serves all keys that are younger than the one it was made for.
    .sort((a, b) => a.reading.lease.createdAt.getTime() - b.reading.lease.createdAt.getTime())
  const answers = new Map<LeaseReading, ProviderAnswer>(
    all.map((each) => [each.reading, each.kept?.answer ?? { kind: 'not_asked' }]),
  )
  const left = asked.values()
  const askOn = async () => {
    for (const { reading } of left) answers.set(reading, await asker.ask(reading))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, askOn))
  return answers
}

/** An answer of the future was given before a clock was set back: how old it is nobody knows. */
const isFresh = ({ answer, at }: Kept, now: number, { askAgainMs }: KeySettings): boolean =>
  isSure(answer) && at <= now && now - at < askAgainMs

/** What is still under way, or could not be told, is asked for each time. */
function isSure(answer: ProviderAnswer): boolean {
  if (answer.kind === 'found') return answer.objects.every(({ status }) => status !== 'pending')
  return answer.kind === 'none' || answer.kind === 'possible'
}

const KEPT = `
  SELECT scope, key, split_part(version, '.', 2) AS store, provider_answer AS answer
  FROM lock WHERE source_id = $1 AND gone_at IS NULL AND provider_answer ? 'askedAt'`

const keptRow = z.object({
  scope: z.string(),
  key: z.string(),
  store: z.string(),
  answer: providerAnswerSchema,
})

/** By the key and all that its store had of it. */
async function keptAnswers(ctx: SystemContext, sourceId: string): Promise<Map<string, Kept>> {
  const kept = new Map<string, Kept>()
  for (const row of (await ctx.db.pool.query(KEPT, [sourceId])).rows) {
    // An earlier version may have written it in another form: it is asked for anew.
    const read = keptRow.safeParse(row)
    if (!read.success || !('askedAt' in read.data.answer)) continue
    const { scope, key, store, answer } = read.data
    kept.set(JSON.stringify([scope, key, store]), { answer, at: Date.parse(answer.askedAt) })
  }
  return kept
}

const nameOf = (lease: LeaseReading['lease']): string =>
  JSON.stringify([lease.scope, lease.key, storeDigest(lease)])
