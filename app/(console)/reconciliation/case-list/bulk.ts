'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { attemptOnce } from '@/app/_server/attempt-once'
import type { ActionInput } from '@/app/_ui/action-dialog'
import type { AllMatching } from '@/app/_ui/use-chosen'
import { BULK_MAX } from '@/lib/core/bulk'
import type { ErrorCode } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { selectMatchingCases } from '@/lib/reconcile/cases/select-cases'
import { triageCases } from '@/lib/reconcile/triage/triage-cases'
import { filterOf, loadCases } from '../query'
import { snoozeUntil } from '../snooze-until'

/** All open cases that the page's query matches now, by name: at most as many as one action may touch, the oldest first. */
export const selectAllMatching = async (query: string): Promise<Attempted<AllMatching>> =>
  attempt(async (ctx) => {
    const filter = filterOf(await loadCases(z.string().parse(query)), ctx.clock.now())
    return selectMatchingCases(ctx.db, filter, BULK_MAX)
  })

const kindSchema = z.enum(['acknowledge', 'assign', 'snooze', 'undo'])
export type TriageKind = z.infer<typeof kindSchema>

/** What became of each: done, or why not, and whether another try may end otherwise. */
export type Triaged = {
  kind: TriageKind
  done: string[]
  failed: { id: string; why: string; retryable: boolean }[]
}

const RETRYABLE: readonly ErrorCode[] = ['unavailable', 'timeout', 'rate_limited', 'internal']

/** One change to several cases, each with its own result. */
export async function triageMany(
  kind: TriageKind,
  ids: readonly string[],
  input: ActionInput,
): Promise<Attempted<Triaged>> {
  return attemptOnce('case.triage', input.requestId, async (ctx) => {
    const change = changeOf(kindSchema.parse(kind), input.fields, ctx.clock.now())
    const reason = change.kind === 'undo' ? {} : { reason: reasonSchema.parse(input.reason) }
    const results = await triageCases(ctx, { ids: z.array(z.string()).parse(ids), change, ...reason })
    revalidatePath('/reconciliation')
    return {
      kind: change.kind,
      done: results.filter(({ outcome }) => outcome === 'done').map(({ id }) => id),
      failed: results.flatMap((each) =>
        each.outcome === 'done'
          ? []
          : [{ id: each.id, why: each.text, retryable: RETRYABLE.includes(each.code) }],
      ),
    }
  })
}

function changeOf(kind: TriageKind, fields: Record<string, string>, now: Date) {
  switch (kind) {
    case 'assign':
      return { kind, ownerId: fields.owner ?? '' }
    case 'snooze':
      return { kind, until: snoozeUntil(fields, now).toISOString() }
    default:
      return { kind }
  }
}
