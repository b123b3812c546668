import { z } from 'zod'
import { type OperateResult, operateEach } from '@/lib/actions/bulk/operate-each'
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

  const items = rows
    .sort((a, b) => unique.indexOf(a.id) - unique.indexOf(b.id))
    .map(({ id, sourceId, scope, key }) => ({
      sourceId,
      scope,
      key,
      seen: seen[id] ?? '',
      reason,
      lockId: id,
    }))
  return operateEach(
    items,
    ({ lockId }) => lockId,
    (item) => operateKey(ctx, verb, item, { settings }),
  )
}

function parse(raw: OperateInput) {
  const parsed = operateInputSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new AppError('invalid', faults.join('; '))
}
