import { z } from 'zod'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { KeyAction } from '@/lib/core/states'
import { notInBulk } from '../fail/propose'
import { type KeySettings, keySettings } from '../settings'
import { operateKey } from './operate-key'

/** More than these go through a snapshot, whose preview was looked at. */
export const INLINE_MAX = 20

export const operateInputSchema = z.object({
  ids: z.array(z.string().startsWith('lock_')).min(1).max(INLINE_MAX),
  /** The version of each, as it was read from the list of locks. */
  seen: z.record(z.string(), z.string()),
  reason: reasonSchema,
})
export type OperateInput = z.input<typeof operateInputSchema>

/** What became of one lock. `reason` and `text` say why, unless it is done. */
export type OperateResult = {
  id: string
  actionId: string | null
  state: string
  reason: string | null
  text: string | null
}

/** Acts on locks, one after the other, each on what was seen of it. Every id must have its seen version. */
export async function operateLocks(
  ctx: Context,
  verb: KeyAction,
  raw: OperateInput,
  settings: KeySettings = keySettings(),
): Promise<OperateResult[]> {
  authorise(ctx, `lock.${verb}`)
  const { ids, seen, reason } = parse(raw)
  const unique = [...new Set(ids)]
  if (verb === 'fail' && unique.length > 1) throw notInBulk()
  const missing = unique.filter((id) => seen[id] === undefined)
  if (missing.length > 0) throw new AppError('invalid', `seen has no version of ${missing.join(', ')}.`)

  const rows = await ctx.db.prisma.lock.findMany({ where: { id: { in: unique } } })
  const unknown = unique.filter((id) => !rows.some((row) => row.id === id))
  if (unknown.length > 0) throw new AppError('not_found', `There is no lock ${unknown.join(', ')}.`)

  const results: OperateResult[] = []
  for (const row of rows.sort((a, b) => unique.indexOf(a.id) - unique.indexOf(b.id))) {
    const input = {
      sourceId: row.sourceId,
      scope: row.scope,
      key: row.key,
      seen: seen[row.id] ?? '',
      reason,
      lockId: row.id,
    }
    results.push(await operateOne(ctx, verb, input, settings, unique.length === 1))
  }
  return results
}

async function operateOne(
  ctx: Context,
  verb: KeyAction,
  input: Parameters<typeof operateKey>[2] & { lockId: string },
  settings: KeySettings,
  single: boolean,
): Promise<OperateResult> {
  try {
    return toResult(input.lockId, await operateKey(ctx, verb, input, { settings }))
  } catch (error) {
    // Of several, one that cannot be done must not hide what was done to the others.
    if (single || !(error instanceof AppError) || error.code === 'kill_switch') throw error
    return { id: input.lockId, actionId: null, state: 'failed', reason: error.code, text: error.message }
  }
}

const whySchema = z.object({ reason: z.string(), text: z.string() }).partial()

export function toResult(lockId: string, action: ActionView): OperateResult {
  const why = whySchema.parse(action.result)
  return {
    id: lockId,
    actionId: action.id,
    state: action.state,
    reason: why.reason ?? null,
    text: why.text ?? null,
  }
}

function parse(raw: OperateInput) {
  const parsed = operateInputSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new AppError('invalid', faults.join('; '))
}
