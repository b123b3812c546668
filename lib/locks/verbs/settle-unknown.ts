import { z } from 'zod'
import { transition } from '@/lib/actions/transition'
import { append } from '@/lib/audit/append'
import type { SystemContext } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { KeyReading, LeaseRow } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import type { Action } from '@/prisma/generated/client'
import { lockVersion } from '../assess/lock-version'

/** What was applied can be read as soon as the store answers again. */
const SETTLE_AFTER_MS = 15_000
/** A statement whose connection broke may still run in the store: its timeout, 60 s at most, ends it before this. */
const STATEMENT_ENDED_AFTER_MS = 75_000
/** Nobody who still executes is older than this (operate-key.ts gives up after 60 s): its process died. */
const ABANDONED_AFTER_MS = 120_000
const BATCH_ACTIONS = 50

const evidenceSchema = z.object({
  lease: z.object({ createdAt: z.string(), fence: z.string(), owner: z.string() }).partial().optional(),
  response: z.object({ status: z.number(), body: z.string() }).optional(),
})
const seenSchema = z.object({ version: z.string() })

/** Finds out, by reading the store, how actions ended whose end nobody heard. Returns how many it settled. */
export async function settleUnknown(ctx: SystemContext): Promise<{ settled: number; open: number }> {
  const now = ctx.clock.now().getTime()
  const actions = await ctx.db.prisma.action.findMany({
    where: {
      params: { path: ['by'], equals: 'keys' },
      OR: [
        { state: 'unknown', executedAt: { lt: new Date(now - SETTLE_AFTER_MS) } },
        { state: 'executing', executedAt: { lt: new Date(now - ABANDONED_AFTER_MS) } },
      ],
    },
    orderBy: { executedAt: 'asc' },
    take: BATCH_ACTIONS,
  })
  let settled = 0
  for (const action of actions) {
    try {
      if (await settle(ctx, action)) settled += 1
    } catch (error) {
      ctx.log.warn({ err: error, actionId: action.id }, 'an unknown action could not be settled yet')
    }
  }
  return { settled, open: actions.length - settled }
}

type Settled = { state: 'done' | 'failed'; result: Record<string, unknown> }

async function settle(ctx: SystemContext, action: Action): Promise<boolean> {
  const { sourceId, scope, key } = action
  if (sourceId === null || scope === null || key === null) return false
  const store = await openIntentSource(ctx, sourceId)
  const found = whatHappened(action, await store.source.readKey(scope, key))
  const begunMs = action.executedAt?.getTime() ?? 0
  const ended = begunMs + STATEMENT_ENDED_AFTER_MS <= ctx.clock.now().getTime()
  // As it was seen says nothing while the statement may still come through.
  if (found.result.settled === 'not_applied' && !ended) return false
  const actor: Actor = { kind: 'system', job: 'settle-unknown' }
  return ctx.db.prisma.$transaction(async (tx) => {
    const row = await transition(tx, {
      id: action.id,
      from: ['unknown', 'executing'],
      to: found.state,
      patch: { result: found.result, finishedAt: ctx.clock.now() },
    })
    if (row === 'lost') return false
    const entry = {
      verb: `lock.${action.kind}`,
      subject: action.id,
      outcome: found.state,
      after: found.result,
    }
    await append(tx, { actor, clock: ctx.clock, requestId: action.requestId ?? action.id }, entry)
    return true
  })
}

/** Pure: what a reading of the store says of an action on it. */
export function whatHappened(
  action: Pick<Action, 'id' | 'kind' | 'seen' | 'evidence'>,
  now: KeyReading,
): Settled {
  const { version } = seenSchema.parse(action.seen)
  const evidence = evidenceSchema.parse(action.evidence)
  const { lease, record } = now
  if (lease !== null) {
    const [, store] = version.split('.')
    if (lockVersion(lease, { kind: 'not_asked' }).store === store) {
      return {
        state: 'failed',
        result: { settled: 'not_applied', text: 'It was not applied: the lock is as it was seen.' },
      }
    }
    if (action.kind === 'release' && lease.owner === `idemscope:${action.id}`) {
      return { state: 'done', result: { settled: 'applied' } }
    }
  }
  const sameLife = (lease?.seen.createdAt ?? record?.createdAtText) === evidence.lease?.createdAt
  if (action.kind === 'release' && sameLife && lease?.state === 'retryable' && isUnmarked(lease, evidence)) {
    // The layout has no room for who released it: it is free, which is what was asked for.
    return { state: 'done', result: { settled: 'in_place', text: 'The key is free: a retry runs it.' } }
  }
  if (action.kind !== 'release' && record !== null && evidence.response !== undefined) {
    const same =
      sameLife &&
      record.response.status === evidence.response.status &&
      sameBody(record.response.body, evidence.response.body)
    if (same) return { state: 'done', result: { settled: 'applied' } }
  }
  const text =
    'The key has moved on since: it is not stuck any more, and it cannot be told whether this did it.'
  return { state: 'failed', result: { settled: 'moved_on', text } }
}

/** A foreign row whose release writes no name: it has none, or still its last holder's. */
const isUnmarked = ({ seen, owner }: LeaseRow, { lease }: z.infer<typeof evidenceSchema>): boolean =>
  seen.rowVersion !== undefined && (owner === '' || owner === lease?.owner)

/** A column of type jsonb gives the same object back in another order. */
function sameBody(stored: string, written: string): boolean {
  if (stored === written) return true
  try {
    return canonicalJson(JSON.parse(stored)) === canonicalJson(JSON.parse(written))
  } catch {
    return false
  }
}
