import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonObject } from '@/lib/core/json-value'
import type { Tx } from '@/lib/db'
import { env } from '@/lib/env'
import type { Source } from '@/prisma/generated/client'
import { adapterNameSchema, parseAdapterInput } from './adapters'
import { openSecret, sealSecret } from './credentials'
import {
  credentialsKeyOf,
  endFormerReading,
  FORGET_TIMEOUT_MS,
  RECORDS,
  regionSchema,
  systemSchema,
} from './manage/change'
import { compareReadings, readingOf } from './manage/reading'

const inputSchema = z.object({
  adapter: adapterNameSchema,
  name: z.string().trim().min(1).max(60),
  /** Sources that are reconciled with each other share it. */
  system: systemSchema,
  /** Where its records are kept. */
  region: regionSchema.nullable().optional(),
  config: z.unknown(),
  secret: z.unknown(),
  enabled: z.boolean().default(true),
  /** Of one that reads another place now: whether the same records moved there. */
  records: z.enum(RECORDS).optional(),
})
export type SaveSource = z.input<typeof inputSchema>

type SaveOptions = {
  credentialsKey?: string | undefined
  demo?: boolean
  /** Nothing runs yet that could read it. */
  atStart?: boolean
  /** What belongs to it and must commit with it. */
  inTransaction?: (tx: Tx, name: string) => Promise<void>
}

/**
 * Writes a source, or changes the one of the same name; returns its id. The secret is sealed before it is stored. What a change
 * makes of what was read is the same as where a person changes it in the console.
 */
export async function saveSource(
  ctx: Pick<SystemContext, 'db' | 'clock'>,
  raw: SaveSource,
  options: SaveOptions = {},
): Promise<string> {
  const input = inputSchema.parse(raw)
  const key = credentialsKeyOf(options)
  const demo = options.demo ?? env().IDEMSCOPE_DEMO
  const { kind, config, secret } = parseAdapterInput(input.adapter, input.config, input.secret, { demo })
  return ctx.db.prisma.$transaction(
    async (tx) => {
      await options.inTransaction?.(tx, input.name)
      await tx.$queryRaw`SELECT id FROM source WHERE name = ${input.name} FOR UPDATE`
      const existing = await tx.source.findUnique({ where: { name: input.name } })
      if (existing !== null && existing.adapter !== input.adapter) {
        throw new AppError('conflict', `${input.name} is a source of the adapter ${existing.adapter}.`)
      }
      const id = existing?.id ?? newId('src')
      if (existing !== null) await change(tx, ctx, existing, { ...input, config, secret, key, ...options })
      const data = {
        system: input.system,
        ...(input.region === undefined ? {} : { region: input.region }),
        config: toJsonObject(config as Record<string, unknown>),
        secret: sealSecret(key, id, secret),
        enabled: input.enabled,
        switchedOffAt: input.enabled ? null : (existing?.switchedOffAt ?? ctx.clock.now()),
      }
      await tx.source.upsert({
        where: { id },
        create: { id, kind, adapter: input.adapter, name: input.name, createdAt: ctx.clock.now(), ...data },
        update: { ...data, version: { increment: 1 } },
      })
      return id
    },
    { timeout: FORGET_TIMEOUT_MS },
  )
}

/** Of one that was never read there is nothing to end. */
async function change(
  tx: Tx,
  ctx: Pick<SystemContext, 'clock'>,
  source: Source,
  to: Pick<z.output<typeof inputSchema>, 'system' | 'records'> & {
    config: unknown
    secret: unknown
    key: string
    atStart?: boolean
  },
): Promise<void> {
  if (source.lastOkAt === null && to.system === source.system) return
  const was = source.secret === null ? {} : openSecret(to.key, source.id, source.secret)
  const reading = compareReadings(readingOf(source.config, was), readingOf(to.config, to.secret))
  const { system, records, atStart } = to
  await endFormerReading(tx, ctx, source, {
    reading,
    system,
    records,
    toDo: 'save it again',
    atRest: atStart,
  })
}
