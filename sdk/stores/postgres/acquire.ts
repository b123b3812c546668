import { randomUUID } from 'node:crypto'
import { type Clock, sleep } from '../../clock'
import type { Json } from '../../effects/json'
import { StoreUnavailableError } from '../../errors'
import { STATES, STEP_STATES } from '../state-letters'
import type { Acquired, AcquireRequest, EffectKind, Looked, Step } from '../store'
import type { StoreDatabase } from './database'
import { isAnswerLost } from './unavailable'

export type AcquiredRow = {
  kind: Acquired['kind']
  state: StateLetter
  fence: string
  attempts: number
  owner: string
  created_at: Date
  expires_at: Date
  lease_ms: string
  step: string | null
  steps: StepRow[] | null
  trace_id: Buffer | null
  status: number
  headers: [string, string][] | null
  body: Buffer | null
}

type StepRow = {
  step: string
  name: string
  kind: EffectKind | 'checkpoint'
  state: 'B' | 'C' | 'F' | 'U'
  reference: string | null
  amountMinor: string | null
  currency: string | null
  result: Json
}

type StateLetter = 'L' | 'R' | 'U' | 'C' | 'F'

/** After a broken connection: some 1.3 s in all, in which a server that restarts, or its pooler, may be back. */
const RETRY_DELAYS_MS = [0, 50, 250, 1_000]

/**
 * Asks the store with what an acquire says; the same values when it is asked again, so that it knows its own lease.
 * It runs outside any transaction of the application, or a second execution could not see it. When the
 * connection breaks before its answer, the same acquire is sent again, and goes on with the lease that it has already.
 */
export async function acquireBy<Answer>(
  clock: Clock,
  request: AcquireRequest,
  tier: number,
  ask: (values: unknown[]) => Promise<Answer>,
): Promise<Answer> {
  const values = [
    request.scope,
    request.key,
    tier,
    request.fingerprint,
    request.owner,
    request.leaseMs,
    request.traceId === null ? null : Buffer.from(request.traceId, 'hex'),
    randomUUID(),
  ]
  let lost = false
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await ask(values)
    } catch (error) {
      lost ||= isAnswerLost(error)
      // Where nothing was sent, a retry would only delay that the store cannot be reached.
      if (!lost || !(error instanceof StoreUnavailableError)) throw error
    }
    await sleep(clock, delayMs)
  }
  return ask(values)
}

/** One round trip. */
export const acquireLease = (
  db: StoreDatabase,
  clock: Clock,
  request: AcquireRequest,
  tier: number,
): Promise<Acquired> =>
  acquireBy(clock, request, tier, async (values) =>
    toAcquired(await db.callOne<AcquiredRow>('idem_acquire', values)),
  )

/** One round trip that changes nothing. */
export async function lookAtKey(db: StoreDatabase, request: AcquireRequest): Promise<Looked> {
  const values = [request.scope, request.key, request.fingerprint]
  const row = await db.callOne<AcquiredRow | { kind: 'held' }>('idem_look', values)
  if (row.kind === 'held') return { kind: 'held' }
  const looked = toAcquired(row)
  if (looked.kind === 'acquired' || looked.kind === 'takeover')
    throw new Error(`idem_look answered ${looked.kind}`)
  return looked
}

export function toAcquired(row: AcquiredRow): Acquired {
  if (row.kind === 'mismatch') return { kind: 'mismatch', state: STATES[row.state] }
  const common = { attempt: row.attempts, fence: BigInt(row.fence), createdAt: row.created_at }
  if (row.kind === 'replay') {
    return {
      ...common,
      kind: 'replay',
      state: row.state === 'F' ? 'failed_final' : 'completed',
      expiresAt: row.expires_at,
      traceId: row.trace_id?.toString('hex') ?? null,
      status: row.status,
      headers: row.headers ?? [],
      body: row.body ?? new Uint8Array(),
    }
  }
  const live = { ...common, owner: row.owner, leaseLeftMs: Number(row.lease_ms) }
  if (row.kind === 'takeover') {
    return { ...live, kind: 'takeover', recoveryPoint: row.step, steps: (row.steps ?? []).map(toStep) }
  }
  return { ...live, kind: row.kind }
}

const toStep = (row: StepRow): Step => ({
  ...row,
  state: STEP_STATES[row.state],
  amountMinor: row.amountMinor === null ? null : BigInt(row.amountMinor),
})
