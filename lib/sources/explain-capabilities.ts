import { z } from 'zod'
import type { KeyAction } from '@/lib/core/states'

const schema = z.object({
  canRelease: z.boolean(),
  canComplete: z.boolean(),
  canFail: z.boolean(),
  canCollect: z.boolean(),
  canHold: z.boolean().default(false),
  casStrength: z.enum(['token', 'version', 'value']),
  zombieSafe: z.boolean(),
  providerKeyed: z.boolean(),
  collection: z.enum(['drop_partitions', 'batched_delete', 'report_only', 'by_engine']).optional(),
  durability: z.object({ kept: z.boolean(), text: z.string() }).optional(),
  reading: z.string().optional(),
  reasons: z.record(z.string(), z.string()).optional(),
})

const messagesSchema = z.object({
  canRedrive: z.boolean(),
  canDiscard: z.boolean(),
  canEdit: z.boolean(),
  reading: z.string().optional(),
  reasons: z.record(z.string(), z.string()).optional(),
})

export type Capability = { name: string; offered: boolean; why: string }

const CAS = {
  token: 'compares the holder’s fencing token',
  version: 'compares the row’s version',
  value: 'compares the value only',
} as const

/** What may be done in a store, and why; null = it was not read yet. Pure. */
export function explainCapabilities(raw: unknown): Capability[] | null {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) return explainMessages(raw)
  const { data } = parsed
  const why = (verb: string, offered: boolean, said: string) =>
    data.reasons?.[verb] ?? (offered ? said : 'this layout does not allow it safely')
  return [
    ...(data.reading === undefined ? [] : [{ name: 'Read', offered: true, why: data.reading }]),
    ...(data.durability === undefined
      ? []
      : [{ name: 'Durable', offered: data.durability.kept, why: data.durability.text }]),
    {
      name: 'Release',
      offered: data.canRelease,
      why: why('release', data.canRelease, CAS[data.casStrength]),
    },
    {
      name: 'Complete',
      offered: data.canComplete,
      why: why('complete', data.canComplete, 'the response can be recovered'),
    },
    { name: 'Fail', offered: data.canFail, why: why('fail', data.canFail, 'a final error can be stored') },
    {
      name: 'Collect',
      offered: data.canCollect,
      why: why('collect', data.canCollect, COLLECTION[data.collection ?? 'drop_partitions']),
    },
    {
      name: 'Hold',
      offered: data.canHold,
      why: data.canHold ? 'the store itself stops new executions' : 'this layout keeps no holds',
    },
    {
      name: 'Zombie-safe',
      offered: data.zombieSafe,
      why: data.zombieSafe
        ? 'a released holder can no longer write'
        : (data.reasons?.zombie ?? 'a released holder may still write'),
    },
    {
      name: 'Provider keyed',
      offered: data.providerKeyed,
      why: data.providerKeyed
        ? 'the provider answers a late call with the same object'
        : 'a late call may charge again: the verdict is investigate',
    },
  ]
}

function explainMessages(raw: unknown): Capability[] | null {
  const { data } = messagesSchema.safeParse(raw)
  if (data === undefined) return null
  const { canRedrive, canDiscard, canEdit, reasons = {} } = data
  const read = data.reading ?? 'reading changes nothing'
  return [
    { name: 'Read', offered: true, why: read },
    {
      name: 'Redrive',
      offered: canRedrive,
      why: reasons.redrive ?? 'a dead message goes back under its own id, as it was seen',
    },
    {
      name: 'Edit and redrive',
      offered: canEdit,
      why: reasons.edit ?? 'a new message names the one it stands for',
    },
    {
      name: 'Discard',
      offered: canDiscard,
      why: reasons.discard ?? 'a dead message is never published again',
    },
  ]
}

/** What a holder that comes back after a release does; null = it can no longer write. */
export function zombieText(raw: unknown): string | null {
  const { data } = schema.safeParse(raw)
  return data === undefined || data.zombieSafe
    ? null
    : (data.reasons?.zombie ?? 'A holder that comes back may still write.')
}

/** What the store allows an operator to do to a key; none where it was not read yet. */
export function offeredVerbs(raw: unknown): KeyAction[] {
  const { data } = schema.safeParse(raw)
  if (data === undefined) return []
  const can: Record<KeyAction, boolean> = {
    release: data.canRelease,
    complete: data.canComplete,
    fail: data.canFail,
  }
  return (Object.keys(can) as KeyAction[]).filter((verb) => can[verb])
}

/** Whether the console may collect there. */
export const canCollect = (raw: unknown): boolean => schema.safeParse(raw).data?.canCollect === true

/** Whether operators may hold new executions there. */
export const canHold = (raw: unknown): boolean => schema.safeParse(raw).data?.canHold === true

/** Its rows are deleted one batch after the other, and can be put back the same way. */
export const collectsByRows = (raw: unknown): boolean =>
  schema.safeParse(raw).data?.collection === 'batched_delete'

const COLLECTION = {
  drop_partitions: 'whole partitions are dropped',
  batched_delete: 'rows are deleted in small batches',
  report_only: 'it is only reported',
  by_engine: 'the engine deletes expired keys itself',
} as const
