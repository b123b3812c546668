'use server'

import { z } from 'zod'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { dialogActions } from '@/app/_server/dialog-actions'
import { grantsText } from '@/app/_server/grants-text'
import { services } from '@/app/_server/services'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { adapterNameSchema } from '@/lib/sources/adapters'
import { connectSource } from '@/lib/sources/connect'
import type { DetectedLayout } from '@/lib/sources/contracts'
import { type EngineName, engineNameSchema } from '@/lib/sources/engines'
import { detectSource, previewSource, type SourcePreview } from '@/lib/sources/preview'
import { jsonObject } from '../parse-json'

/** What the person has chosen so far: an address, a layout, and how it is meant. */
export type Draft = { engine: EngineName; secret: Record<string, string>; adapter: string; config: string }
export type Looked = { preview: SourcePreview; grants: string }

export const detect = async (
  address: Pick<Draft, 'engine' | 'secret'>,
): Promise<Attempted<DetectedLayout[]>> => attempt((ctx) => detectSource(ctx, addressSchema.parse(address)))

/** What the mapping makes of real rows, and the rights that it needs. Read-only, with a timeout. */
export const look = async (draft: Draft): Promise<Attempted<Looked>> =>
  attempt(async (ctx) => {
    const { adapter, config, secret } = parse(draft)
    const preview = await previewSource(ctx, { adapter, config, secret }, rules())
    return { preview, grants: grantsText(adapter, config) }
  })

const { once } = dialogActions(['/sources'])

export const connect = async (draft: Draft, input: ActionInput) =>
  once('source.connect', input, (ctx) => {
    const { name = '', system = '', region = '' } = input.fields
    const source = { ...parse(draft), name, system, region: region.trim() || null }
    return connectSource(ctx, { ...source, reason: input.reason }, rules())
  })

/** A field that was left empty is not part of the address. */
const secretSchema = z
  .record(z.string(), z.string().trim().max(2_000))
  .transform((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')))
const addressSchema = z.object({ engine: engineNameSchema, secret: secretSchema })

const rules = () => ({ demo: services().settings.IDEMSCOPE_DEMO })

function parse({ secret, adapter, config }: Draft) {
  return {
    adapter: adapterNameSchema.parse(adapter),
    config: jsonObject(z.string().max(20_000).parse(config)),
    secret: secretSchema.parse(secret),
  }
}

export type { DetectedLayout } from '@/lib/sources/contracts'
