import { z } from 'zod'
import type { Context, SystemContext } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { toJsonObject } from '@/lib/core/json-value'
import { reasonSchema } from '@/lib/core/reason'
import type { Tx } from '@/lib/db'
import { env } from '@/lib/env'
import type { Source } from '@/prisma/generated/client'
import { adapterNameSchema, parseAdapterInput } from '../adapters'
import { openSecret, sealSecret } from '../credentials'
import { endReading } from './end-reading'
import { compareReadings, type ReadingChange, readingOf } from './reading'
import { assertNothingUnderWay } from './under-way'

export const systemSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'lower case letters, digits, - and _')
export const regionSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'lower case letters, digits, ., - and _')

export const RECORDS = ['same', 'other'] as const

const changeSchema = z.object({
  system: systemSchema,
  region: regionSchema.nullable().default(null),
  config: z.unknown(),
  /** Fields that are entered anew; null forgets one. What is left out stays as it is. */
  secret: z.record(z.string(), z.string().min(1).nullable()).default({}),
  /** Of another place: whether what is there is what was read before, moved, or other records. */
  records: z.enum(RECORDS).optional(),
})
export type SourceChange = z.input<typeof changeSchema>

type Options = { credentialsKey?: string | undefined; demo?: boolean }

export type PlannedChange = {
  source: Source
  system: string
  region: string | null
  config: unknown
  secret: unknown
  secretChanged: boolean
  reading: ReadingChange
  /** What becomes of what was read: all of it stays, it is read again from the beginning, or it goes too. */
  outcome: 'kept' | 'read_again' | 'forgotten'
}

/** What a change would do, before anything is saved. Reads nothing of the source. */
export async function planChange(
  { db }: Pick<SystemContext, 'db'>,
  id: string,
  raw: SourceChange,
  options: Options = {},
): Promise<PlannedChange> {
  const source = await db.prisma.source.findUnique({ where: { id } })
  if (source === null) throw notFound(id)
  return plan(source, changeSchema.parse(raw), options)
}

function plan(source: Source, input: z.output<typeof changeSchema>, options: Options): PlannedChange {
  const demo = options.demo ?? env().IDEMSCOPE_DEMO
  const adapter = adapterNameSchema.parse(source.adapter)
  const was = source.secret === null ? {} : openSecret(credentialsKeyOf(options), source.id, source.secret)
  const entered = { ...z.record(z.string(), z.unknown()).parse(was), ...input.secret }
  const given = Object.fromEntries(Object.entries(entered).filter(([, value]) => value !== null))
  const { config, secret } = parseAdapterInput(adapter, input.config, given, { demo })
  const reading = compareReadings(readingOf(source.config, was), readingOf(config, secret))
  return {
    source,
    system: input.system,
    region: input.region,
    config,
    secret,
    secretChanged: source.secret === null || JSON.stringify(was) !== JSON.stringify(secret),
    reading,
    outcome: outcomeOf(reading, input.system !== source.system, input.records),
  }
}

type Records = (typeof RECORDS)[number] | undefined

function outcomeOf(
  { kind }: ReadingChange,
  otherSystem: boolean,
  records: Records,
): PlannedChange['outcome'] {
  if (kind === 'mapping' || otherSystem || (kind === 'place' && records === 'other')) return 'forgotten'
  return kind === 'place' ? 'read_again' : 'kept'
}

/**
 * Changes what a source is read with, by a person who saw `version` of it; its name and adapter stay. The secret is kept but for
 * the fields that are entered. Where it reads another place, or understands its records otherwise, no position of a
 * reading is used again, and the source has to be switched off. Audited. Throws `conflict` when it was changed meanwhile.
 */
export async function changeSource(
  ctx: Context,
  { id, version, reason: given, ...raw }: SourceChange & { id: string; version: number; reason: string },
  options: Options = {},
): Promise<{ id: string; version: number; outcome: PlannedChange['outcome'] }> {
  authorise(ctx, 'source.manage')
  const reason = reasonSchema.parse(given)
  const input = changeSchema.parse(raw)
  return ctx.db.prisma.$transaction(
    async (tx) => {
      const source = await lockSource(tx, id)
      if (source.version !== version)
        throw new AppError(
          'conflict',
          `${source.name} was changed since you looked: load the page again and look at what is there now.`,
        )
      const planned = plan(source, input, options)
      const after = await applyChange(tx, ctx, planned, { records: input.records, reason, options })
      return { id, version: after, outcome: planned.outcome }
    },
    { timeout: FORGET_TIMEOUT_MS },
  )
}

/** A mirror of a million keys takes its time. */
export const FORGET_TIMEOUT_MS = 10 * 60_000

/**
 * Makes of what was read of a source what a change makes of it, whoever changes it. Throws where nobody said what another place
 * holds, and `conflict` where what it reads changes and it is not at rest; `atRest` = nothing runs yet that could read it.
 * Returns how many rows of the mirror went.
 */
export async function endFormerReading(
  tx: Tx,
  ctx: Pick<SystemContext, 'clock'>,
  source: Source,
  to: {
    reading: ReadingChange
    system: string
    records: Records
    toDo: string
    atRest?: boolean | undefined
  },
): Promise<number> {
  const { reading, records } = to
  if (reading.kind === 'place' && records === undefined) throw askedForRecords(source, reading)
  const otherSystem = to.system !== source.system
  const outcome = outcomeOf(reading, otherSystem, records)
  if (outcome !== 'kept' && to.atRest !== true) await assertNothingUnderWay(tx, ctx, source, to.toDo)
  const others = reading.kind === 'place' && records === 'other'
  // Of another place, or under another system, its earlier words are no more.
  const ended = others || otherSystem ? 'changed' : null
  return endReading(tx, ctx, source, { outcome, ended, policies: others })
}

async function applyChange(
  tx: Tx,
  ctx: Context,
  planned: PlannedChange,
  how: { records: Records; reason: string; options: Options },
): Promise<number> {
  const { source, system, region, config, secret, reading, outcome } = planned
  const { records } = how
  const former = { reading, system, records, toDo: 'change what it reads' }
  const rows = await endFormerReading(tx, ctx, source, former)
  const data = {
    system,
    region,
    config: toJsonObject(config as Record<string, unknown>),
    secret: sealSecret(credentialsKeyOf(how.options), source.id, secret),
  }
  await tx.source.update({ where: { id: source.id }, data: { ...data, version: { increment: 1 } } })
  await tx.auditEntry.create({
    data: auditRow(ctx, {
      verb: 'source.change',
      subject: source.name,
      outcome: 'done',
      reason: how.reason,
      before: { system: source.system, region: source.region, config: source.config },
      after: {
        ...{ system, region, config },
        secretChanged: planned.secretChanged,
        place: reading.fields,
        ...(reading.kind === 'place' ? { records } : {}),
        ...{ reading: outcome, rowsForgotten: rows },
      },
    }),
  })
  return source.version + 1
}

const askedForRecords = ({ name }: Pick<Source, 'name'>, { fields }: ReadingChange): AppError =>
  new AppError(
    'unprocessable',
    `${name} would read another place (${fields.map(({ name, before, after }) => `${name}: ${before ?? 'none'} → ${after ?? 'none'}`).join(', ')}): say whether the same records moved there (records: same) or they are other records (records: other).`,
    { meta: { reason: 'records' } },
  )

/** The row, held against every other change until this transaction ends. Throws `not_found`. */
export async function lockSource(tx: Tx, id: string): Promise<Source> {
  await tx.$queryRaw`SELECT id FROM source WHERE id = ${id} FOR UPDATE`
  const source = await tx.source.findUnique({ where: { id } })
  if (source === null) throw notFound(id)
  return source
}

export const notFound = (id: string): AppError =>
  new AppError('not_found', `There is no source ${id.slice(0, 100)}.`)

export function credentialsKeyOf({ credentialsKey = env().IDEMSCOPE_CREDENTIALS_KEY }: Options): string {
  if (credentialsKey !== undefined) return credentialsKey
  throw new AppError(
    'invalid',
    'IDEMSCOPE_CREDENTIALS_KEY is not set: secrets of sources cannot be sealed or opened.',
  )
}
