import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'
import { ADAPTERS, adapterNameSchema, openAdapter } from '../adapters'
import { type AnySource, SourceUnavailableError } from '../contracts'
import { openSecret } from '../credentials'
import { previewOf, type SourcePreview } from '../preview'
import { credentialsKeyOf, notFound, type PlannedChange, planChange, type SourceChange } from './change'
import { readingOf } from './reading'

type Options = { credentialsKey?: string | undefined; demo?: boolean }

export type ChangeableSource = {
  id: string
  version: number
  name: string
  kind: string
  adapter: string
  system: string
  region: string | null
  enabled: boolean
  config: Record<string, unknown>
  /** What its secret has a field for: whether one is kept, never what it is. */
  secret: { name: string; optional: boolean; kept: boolean }[]
  /** Where it reads: no credentials. */
  place: Record<string, string>
}

/** A source as a form shows it that changes it. Nothing of its secret is in it. */
export async function describeSource(
  ctx: Context,
  id: string,
  options: Options = {},
): Promise<ChangeableSource> {
  authorise(ctx, 'source.manage')
  const row = await ctx.db.prisma.source.findUnique({ where: { id } })
  if (row === null) throw notFound(id)
  const adapter = adapterNameSchema.parse(row.adapter)
  const stored = row.secret === null ? {} : openSecret(credentialsKeyOf(options), id, row.secret)
  const secret = z.record(z.string(), z.unknown()).parse(stored)
  const { version, name, kind, system, region, enabled } = row
  return {
    ...{ id, version, name, kind, adapter, system, region, enabled },
    config: z.record(z.string(), z.unknown()).parse(row.config),
    secret: secretFields(adapter).map((field) => ({ ...field, kept: secret[field.name] !== undefined })),
    place: readingOf(row.config, secret).place,
  }
}

const shape = z.object({
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()).default([]),
})

function secretFields(adapter: keyof typeof ADAPTERS): { name: string; optional: boolean }[] {
  const { properties, required } = shape.parse(
    z.toJSONSchema(ADAPTERS[adapter].secret, { io: 'input', unrepresentable: 'any' }),
  )
  return Object.keys(properties).map((name) => ({ name, optional: !required.includes(name) }))
}

export type ChangeLook = Pick<PlannedChange, 'reading' | 'outcome'> & {
  config: Record<string, unknown>
  /** Null = its kind has no preview: it was asked and answered. */
  preview: SourcePreview | null
}

/** Connects with what a change says, reads a little and saves nothing. Throws `unprocessable` when that fails. */
export async function lookAtChange(
  ctx: Context,
  { id, ...change }: SourceChange & { id: string },
  options: Options = {},
): Promise<ChangeLook> {
  authorise(ctx, 'source.manage')
  const { source, config, secret, reading, outcome } = await planChange(ctx, id, change, options)
  const adapter = adapterNameSchema.parse(source.adapter)
  const demo = options.demo ?? env().IDEMSCOPE_DEMO
  const open = openAdapter(adapter, config, secret, { demo, readOnly: true, clock: ctx.clock })
  try {
    const preview = await test(open)
    return { reading, outcome, preview, config: z.record(z.string(), z.unknown()).parse(config) }
  } catch (error) {
    if (!(error instanceof SourceUnavailableError)) throw error
    throw new AppError('unprocessable', `${error.message}.`, { cause: error })
  } finally {
    await open.close()
  }
}

async function test(source: AnySource): Promise<SourcePreview | null> {
  if (source.kind === 'ledger') await source.readRows(null, 1)
  else if (source.kind === 'provider') await source.now()
  else return previewOf(source)
  return null
}
