import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonObject } from '@/lib/core/json-value'
import type { Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { adapterNameSchema, parseAdapterInput } from './adapters'
import { sealSecret } from './credentials'

const inputSchema = z.object({
  adapter: adapterNameSchema,
  name: z.string().trim().min(1).max(60),
  /** Sources that are reconciled with each other share it. */
  system: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'lower case letters, digits, - and _'),
  config: z.unknown(),
  secret: z.unknown(),
  enabled: z.boolean().default(true),
})
export type SaveSource = z.input<typeof inputSchema>

/** Writes a source, or changes the one of the same name; returns its id. The secret is sealed before it is stored. */
export async function saveSource(
  ctx: Pick<SystemContext, 'db' | 'clock'>,
  raw: SaveSource,
  options: {
    credentialsKey?: string | undefined
    demo?: boolean
    /** What belongs to it and must commit with it. */
    inTransaction?: (tx: Tx, name: string) => Promise<void>
  } = {},
): Promise<string> {
  const input = inputSchema.parse(raw)
  const credentialsKey = options.credentialsKey ?? env().IDEMSCOPE_CREDENTIALS_KEY
  if (credentialsKey === undefined) {
    throw new AppError(
      'invalid',
      'IDEMSCOPE_CREDENTIALS_KEY is not set: secrets of sources cannot be sealed.',
    )
  }
  const demo = options.demo ?? env().IDEMSCOPE_DEMO
  const { kind, config, secret } = parseAdapterInput(input.adapter, input.config, input.secret, { demo })
  return ctx.db.prisma.$transaction(async (tx) => {
    await options.inTransaction?.(tx, input.name)
    const existing = await tx.source.findUnique({
      where: { name: input.name },
      select: { id: true, adapter: true },
    })
    if (existing !== null && existing.adapter !== input.adapter) {
      throw new AppError('conflict', `${input.name} is a source of the adapter ${existing.adapter}.`)
    }
    const id = existing?.id ?? newId('src')
    const data = {
      system: input.system,
      config: toJsonObject(config as Record<string, unknown>),
      secret: sealSecret(credentialsKey, id, secret),
      enabled: input.enabled,
    }
    await tx.source.upsert({
      where: { id },
      create: { id, kind, adapter: input.adapter, name: input.name, createdAt: ctx.clock.now(), ...data },
      update: data,
    })
    return id
  })
}
