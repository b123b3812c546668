'use server'

import { z } from 'zod'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { dialogActions } from '@/app/_server/dialog-actions'
import { services } from '@/app/_server/services'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { changeSource, RECORDS } from '@/lib/sources/manage/change'
import { type ChangeLook, lookAtChange } from '@/lib/sources/manage/describe'
import { jsonObject } from '../../parse-json'

/** What the form says. A field of the secret that is left empty stays as it is; one that is forgotten is null. */
export type ChangeDraft = {
  id: string
  version: number
  system: string
  region: string
  config: string
  secret: Record<string, string | null>
}

/** Tries it, and says what it would do. Nothing is saved. */
export const lookAt = async (draft: ChangeDraft): Promise<Attempted<ChangeLook>> =>
  attempt((ctx) => lookAtChange(ctx, parse(draft), rules()))

const { once } = dialogActions(['/sources'])

export const change = async (draft: ChangeDraft, input: ActionInput) =>
  once('source.change', input, (ctx) => {
    const records = z.enum(RECORDS).optional().parse(input.fields.records)
    return changeSource(ctx, { ...parse(draft), records, reason: input.reason }, rules())
  })

const rules = () => ({ demo: services().settings.IDEMSCOPE_DEMO })

const draftSchema = z.object({
  id: z.string().max(64),
  version: z.number(),
  system: z.string(),
  region: z
    .string()
    .trim()
    .transform((region) => region || null),
  config: z.string().max(20_000).transform(jsonObject),
  secret: z
    .record(z.string(), z.string().trim().max(2_000).nullable())
    .transform((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))),
})
const parse = (draft: ChangeDraft) => draftSchema.parse(draft)

export type { ChangeableSource, ChangeLook } from '@/lib/sources/manage/describe'
