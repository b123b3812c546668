import type { Context } from '@/lib/context'
import { actorRef } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { newId } from '@/lib/core/ids'
import { toJsonObject } from '@/lib/core/json-value'
import type { RunKind } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import type { Run } from '@/prisma/generated/client'

export type StartRunInput = {
  kind: RunKind
  params: Record<string, unknown>
  dryRun?: boolean
  /** Why a person wants it; stands in the audit. */
  reason?: string | undefined
  /** Return the run of this kind (`kind`), or of this kind with equal parameters (`params`), that has not ended. */
  idempotentOn?: 'kind' | 'params'
}

/** Writes the run's row and enqueues its job in one transaction; a person's run is audited in it too. */
export async function startRun(ctx: Context, input: StartRunInput): Promise<Run> {
  authorise(ctx, input.kind === 'collection' ? 'retention.run' : 'run.start')
  return ctx.db.prisma.$transaction((tx) => startRunIn(tx, ctx, input))
}

/** The same inside a verb's own transaction, which has done its own check. */
export async function startRunIn(tx: Tx, ctx: Context, input: StartRunInput): Promise<Run> {
  const params = toJsonObject(input.params)
  if (input.idempotentOn !== undefined) {
    // Two schedulers at once: the second waits here and then sees the first one's row.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`run.start:${input.kind}`}, 0))`
    const open = await tx.run.findFirst({
      where: {
        kind: input.kind,
        state: { in: ['queued', 'running'] },
        dryRun: input.dryRun ?? false,
        ...(input.idempotentOn === 'params' ? { params: { equals: params } } : {}),
      },
      orderBy: { createdAt: 'asc' },
    })
    if (open !== null) return open
  }
  const { actor } = ctx
  const run = await tx.run.create({
    data: {
      id: newId('run'),
      kind: input.kind,
      dryRun: input.dryRun ?? false,
      params,
      requestedBy: actorRef(actor),
      requestId: ctx.requestId,
      createdAt: ctx.clock.now(),
    },
  })
  if (actor.kind === 'user') {
    await tx.auditEntry.create({
      data: auditRow(ctx, {
        verb: 'run.start',
        subject: run.id,
        outcome: 'done',
        reason: input.reason,
        after: { kind: run.kind, dryRun: run.dryRun, params },
      }),
    })
  }
  await ctx.queue.enqueueRun(tx, input.kind, { runId: run.id })
  return run
}
