import { z } from 'zod'
import { type Settled, settle } from '@/lib/actions/execute'
import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { KeyReading, LeaseRow, StoreCapabilities } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import type { Action } from '@/prisma/generated/client'
import { lockVersion } from '../assess/lock-version'

/** What was applied can be read as soon as the store answers again. */
const SETTLE_AFTER_MS = 15_000
/** A statement whose connection broke may still run in the store: its timeout, 60 s at most, ends it before this. */
export const STATEMENT_ENDED_AFTER_MS = 75_000
/** Nobody who still executes is older than this (operate-key.ts gives up after 60 s): its process died. */
const ABANDONED_AFTER_MS = 120_000

/** Of whatever is one statement on a store. */
export const STORE_SETTLING = { readableAfterMs: SETTLE_AFTER_MS, abandonedAfterMs: ABANDONED_AFTER_MS }

const evidenceSchema = z.object({
  lease: z.object({ createdAt: z.string(), fence: z.string(), owner: z.string() }).partial().optional(),
  response: z.object({ status: z.number(), body: z.string() }).optional(),
})
const seenSchema = z.object({ version: z.string() })

/** Finds out, by reading the store, how actions ended whose end nobody heard. Returns how many it settled. */
export const settleUnknown = (ctx: SystemContext): Promise<{ settled: number; open: number }> =>
  settle(ctx, {
    job: 'settle-unknown',
    where: { params: { path: ['by'], equals: 'keys' } },
    ...STORE_SETTLING,
    recorded: (_, { kind }) => ({ verb: `lock.${kind}` }),
    read: readEnd,
  })

async function readEnd(ctx: SystemContext, action: Action): Promise<Settled | null> {
  const { sourceId, scope, key } = action
  if (sourceId === null || scope === null || key === null) return null
  const store = await openIntentSource(ctx, sourceId)
  const { source } = store
  const found = whatHappened(action, await source.readKey(scope, key), source.capabilities)
  const begunMs = action.executedAt?.getTime() ?? 0
  const ended = begunMs + STATEMENT_ENDED_AFTER_MS <= ctx.clock.now().getTime()
  // As it was seen says nothing while the statement may still come through.
  return found.result.settled === 'not_applied' && !ended ? null : found
}

/** Pure: what a reading of the store says of an action on it. */
export function whatHappened(
  action: Pick<Action, 'id' | 'kind' | 'seen' | 'evidence'>,
  now: KeyReading,
  { writesBeginLives = false }: Pick<StoreCapabilities, 'writesBeginLives'> = {},
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
  if (action.kind === 'release' && writesBeginLives && lease === null && record === null) {
    return { state: 'done', result: { settled: 'in_place', text: 'The key is gone: a retry runs it.' } }
  }
  if (action.kind !== 'release' && record !== null && evidence.response !== undefined) {
    const same =
      (sameLife || writesBeginLives) &&
      // A layout without a place for it says 0.
      [0, evidence.response.status].includes(record.response.status) &&
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
    // Not JSON: then they are the same text or not the same.
    return false
  }
}
