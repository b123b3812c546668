import { createHash, randomBytes } from 'node:crypto'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { STATES } from '../state-letters'
import type { Acquired, AcquireRequest, Looked } from '../store'
import { readBody } from './body'
import { isUnchanged } from './change'
import type { TableDatabase, Update } from './database'
import { bytes, isAbsent, microsOf, ms, num, type Path, text } from './expression'
import { hasOpenEffect, type KeyItem, readKeyItem, stepsOf } from './item'
import { CLOCK_MARGIN_MS, keyItemOf, LIVE_SHARDS } from './layout'

/** Each turn ends in an answer unless the key changed meanwhile. */
const TURNS_MAX = 8

/**
 * One conditional write for a new key. Else the failed condition brings the item, which decides; whatever is written then is conditional on all of it. The nonce recognises an acquire whose reply
 * was lost when it is sent again, by the client or by the store: it goes on with the lease that it has.
 */
export async function acquireKey(db: TableDatabase, request: AcquireRequest): Promise<Acquired> {
  requireValid(request)
  const key = keyItemOf(request)
  const nonce = randomBytes(9).toString('base64url')
  let seen: KeyItem | null = null
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const nowMs = db.nowMs()
    const decision = seen === null ? 'begin' : decide(seen, request.fingerprint, nowMs, nonce)
    const change = changeFor(decision, seen, request, nonce, nowMs)
    if (change === null) {
      if (seen !== null) return answer(db, key.pk, decision as Answer, seen)
      throw new Error('an answer without an item')
    }
    const written = await db.update(key, change.update)
    if (!written.done) {
      seen = written.item === null ? null : readKeyItem(written.item)
      continue
    }
    if (decision === 'mark_unknown' && seen !== null) return live('unknown', seen, db.nowMs())
    if (decision !== 'resume' && change.leaseUntilMs - db.nowMs() < request.leaseMs / 2) {
      // The reply was long in coming, or the clock had been stopped: the lease is to be whole.
      const again = await db.get(key)
      seen = again === null ? null : readKeyItem(again)
      continue
    }
    const leaseLeftMs = Math.min(request.leaseMs, Math.max(0, change.leaseUntilMs - db.nowMs()))
    return acquired(change, seen, request, leaseLeftMs)
  }
  if (seen === null) throw new Error(`the key ${request.key} changed faster than it could be acquired`)
  return live('in_progress', seen, db.nowMs())
}

/** One strongly consistent read that changes nothing. */
export async function lookAtKey(db: TableDatabase, request: AcquireRequest): Promise<Looked> {
  requireValid(request)
  const key = keyItemOf(request)
  const item = await db.get(key)
  if (item === null) return { kind: 'held' }
  const seen = readKeyItem(item)
  const decision = decide(seen, request.fingerprint, db.nowMs(), null)
  if (decision === 'begin' || decision === 'take_over' || decision === 'resume') return { kind: 'held' }
  return answer(db, key.pk, decision === 'mark_unknown' ? 'unknown' : decision, seen)
}

type Answer = 'replay' | 'mismatch' | 'in_progress' | 'unknown'
type Decision = Answer | 'begin' | 'take_over' | 'mark_unknown' | 'resume'

function decide(item: KeyItem, fingerprint: Uint8Array, nowMs: number, nonce: string | null): Decision {
  if (item.state === 'G') return 'begin'
  const same = Buffer.from(item.fingerprint).equals(fingerprint)
  if (item.state === 'C' || item.state === 'F') {
    if (item.expiresMs + CLOCK_MARGIN_MS <= nowMs) return 'begin'
    return same ? 'replay' : 'mismatch'
  }
  if (!same && !item.reopened) return 'mismatch'
  if (item.state === 'U') return 'unknown'
  const own = nonce !== null && item.nonce === nonce
  // What came late: another sending of this acquire has been answered, and that attempt has ended.
  if (item.state === 'R') return own ? 'in_progress' : 'take_over'
  if (own) return 'resume'
  if (item.leaseUntilMs + CLOCK_MARGIN_MS > nowMs) return 'in_progress'
  return hasOpenEffect(item) ? 'mark_unknown' : 'take_over'
}

type Change = { update: Update; fence: bigint; attempt: number; createdMs: number; leaseUntilMs: number }

/** What a decision writes; null = nothing. */
function changeFor(
  decision: Decision,
  seen: KeyItem | null,
  request: AcquireRequest,
  nonce: string,
  nowMs: number,
): Change | null {
  const leaseUntilMs = Math.floor(nowMs + request.leaseMs)
  const lowest = microsOf(nowMs)
  if (decision === 'begin') {
    const fence = seen !== null && seen.fence >= lowest ? seen.fence + 1n : lowest
    const createdMs = Math.floor(nowMs)
    const lease = leaseOf(request, nonce, fence, nowMs, leaseUntilMs)
    const update = {
      when: seen === null ? isAbsent('pk') : isUnchanged(seen),
      set: [
        ...lease.set,
        ['n', num(1)],
        ['c', num(createdMs)],
        ['steps', { M: {} }],
        ['live', num(shardOf(request))],
      ] as Update['set'],
      remove: [...lease.remove, 'r', ...RECORD],
    }
    return { update, fence, attempt: 1, createdMs, leaseUntilMs }
  }
  if (seen === null) return null
  const unchanged = isUnchanged(seen)
  const { createdMs } = seen
  if (decision === 'take_over') {
    const fence = seen.fence >= lowest ? seen.fence + 1n : lowest
    const attempt = seen.attempts + 1
    const lease = leaseOf(request, nonce, fence, nowMs, leaseUntilMs)
    const update = {
      when: unchanged,
      set: [...lease.set, ['n', num(attempt)]] as Update['set'],
      remove: lease.remove,
    }
    return { update, fence, attempt, createdMs, leaseUntilMs }
  }
  const common = { fence: seen.fence, attempt: seen.attempts, createdMs }
  if (decision === 'mark_unknown') {
    // The fence stays: if the holder lives, it may still say how its effect ended.
    return {
      ...common,
      update: { when: unchanged, set: [['s', text('U')]] },
      leaseUntilMs: seen.leaseUntilMs,
    }
  }
  if (decision === 'resume') {
    const until = Math.max(seen.leaseUntilMs, leaseUntilMs)
    const set: Update['set'] = [
      ['u', num(until)],
      ['h', ms(nowMs)],
    ]
    return { ...common, update: { when: unchanged, set }, leaseUntilMs: until }
  }
  return null
}

const RECORD: readonly Path[] = ['q', 'd', 'b', 'z', 'm', 'g', 'x', 'ttl']

/** A new holder's. */
function leaseOf(
  request: AcquireRequest,
  nonce: string,
  fence: bigint,
  nowMs: number,
  leaseUntilMs: number,
): { set: [Path, AttributeValue][]; remove: Path[] } {
  const { traceId } = request
  const set: [Path, AttributeValue][] = [
    ['s', text('L')],
    ['f', num(fence)],
    ['a', text(nonce)],
    ['o', text(request.owner)],
    ['u', num(leaseUntilMs)],
    ['h', ms(nowMs)],
    ['p', bytes(request.fingerprint)],
    ['t', text(request.tier)],
  ]
  if (traceId !== null) set.push(['i', bytes(Buffer.from(traceId, 'hex'))])
  return { set, remove: traceId === null ? ['e', 'i'] : ['e'] }
}

/** Spreads live keys over the index's partitions. */
const shardOf = ({ scope, key }: AcquireRequest): number =>
  (createHash('sha256').update(`${scope}\n${key}`).digest()[0] ?? 0) % LIVE_SHARDS

function acquired(
  change: Change,
  seen: KeyItem | null,
  request: AcquireRequest,
  leaseLeftMs: number,
): Acquired {
  const holder = {
    attempt: change.attempt,
    fence: change.fence,
    owner: request.owner,
    createdAt: new Date(change.createdMs),
    leaseLeftMs,
  }
  if (change.attempt === 1 || seen === null) return { kind: 'acquired', ...holder }
  return { kind: 'takeover', ...holder, recoveryPoint: seen.recoveryPoint, steps: stepsOf(seen) }
}

const live = <Kind extends 'in_progress' | 'unknown'>(kind: Kind, item: KeyItem, nowMs: number) => ({
  kind,
  attempt: item.attempts,
  fence: item.fence,
  owner: item.owner,
  createdAt: new Date(item.createdMs),
  leaseLeftMs: Math.max(0, Math.ceil(item.leaseUntilMs - nowMs)),
})

async function answer(
  db: TableDatabase,
  pk: string,
  kind: Answer,
  item: KeyItem,
): Promise<Exclude<Acquired, { kind: 'acquired' | 'takeover' }>> {
  if (kind === 'in_progress' || kind === 'unknown') return live(kind, item, db.nowMs())
  if (item.state === 'G') throw new Error('a key that was given back has no record')
  if (kind === 'mismatch') return { kind, state: STATES[item.state] }
  return {
    kind,
    state: item.state === 'F' ? 'failed_final' : 'completed',
    attempt: item.attempts,
    fence: item.fence,
    createdAt: new Date(item.createdMs),
    expiresAt: new Date(item.expiresMs),
    traceId: item.traceId,
    status: item.status,
    headers: item.headers,
    body: await readBody(db, pk, item),
  }
}

function requireValid({ key, fingerprint, traceId }: AcquireRequest): void {
  const keyBytes = Buffer.byteLength(key)
  if (
    keyBytes < 1 ||
    keyBytes > 255 ||
    fingerprint.byteLength !== 16 ||
    (traceId !== null && traceId.length !== 32)
  )
    throw new Error('an idempotency key has 1 to 255 bytes, a fingerprint and a trace id 16')
}
