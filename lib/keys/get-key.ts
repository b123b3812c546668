import { actionView } from '@/lib/actions/view'
import type { ReadContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { KEY_ACTIONS, type KeyState } from '@/lib/core/states'
import { env } from '@/lib/env'
import { type MirrorProviderObject, providerEvidenceForKey } from '@/lib/mirror/read/evidence'
import type { KeyReading, LeaseRow, StoredEffect } from '@/lib/sources/contracts'
import { offeredVerbs } from '@/lib/sources/explain-capabilities'
import { keyHash } from '@/lib/sources/key-hash'
import { openIntentSource } from '@/lib/sources/registry'
import { listKeyedRequests } from '@/lib/telemetry/read/requests/keyed-requests'
import { leaseState } from '../locks/assess/holder-life'
import { listLocks } from '../locks/list-locks'
import { formatKeyId, type KeyIdentity, parseKeyId } from './key-id'
import { listKeys } from './list-keys'

const ATTEMPTS_SHOWN = 200
const ROWS_SHOWN = 50

export type KeyDetail = Awaited<ReturnType<typeof getKey>>

/** Everything known of one key: the store as it is now, and what was staged, seen, checked and done. Throws `not_found`. */
export async function getKey(ctx: ReadContext, id: string) {
  const identity = parseKeyId(id)
  const { sourceId, scope, key } = identity
  const known = await ctx.db.prisma.source.findUnique({
    where: { id: sourceId },
    select: { system: true, name: true, capabilities: true },
  })
  if (known === null) throw new AppError('not_found', `There is no key ${id.slice(0, 100)}.`)

  const [store, staged, locks, evidence, keyedRequests, cases, actions] = await Promise.all([
    readStore(ctx, identity),
    listKeys(ctx, { source: sourceId, scope, key }, { limit: 1 }),
    listLocks(
      ctx.db,
      { source: sourceId, scope, key, goneToo: true },
      { limit: ROWS_SHOWN },
      ctx.clock.now(),
    ),
    providerEvidenceForKey(ctx.db, { system: known.system, scope, key }),
    readKeyedRequests(ctx, scope, key),
    ctx.db.prisma.reconciliationCase.findMany({
      where: { scope, key, system: known.system },
      select: { id: true, class: true, severity: true, lifecycle: true, firstSeen: true },
      take: ROWS_SHOWN,
    }),
    ctx.db.prisma.action.findMany({
      where: { sourceId, scope, key },
      orderBy: { createdAt: 'desc' },
      take: ROWS_SHOWN,
    }),
  ])
  const [mirrored] = staged.items
  const current = store.reading === null ? null : describeKey(store.reading)
  if (current === null && mirrored === undefined && keyedRequests.length === 0 && locks.items.length === 0) {
    // Not to be able to look is not the same as not to find.
    if (store.error !== null)
      throw new AppError('unavailable', `${known.name} cannot be read: ${store.error}`)
    throw new AppError('not_found', `There is no key ${id.slice(0, 100)}.`)
  }
  const lock = locks.items.find(({ goneAt }) => goneAt === null) ?? null
  // Of a lease whose stamps lie in the future, the last check tells whether its holder lives.
  const isDead =
    current?.state === 'leased' && lock?.state === 'lease_expired' && lock.fence === current.fence
  const state: KeyState | null = isDead ? 'lease_expired' : (current?.state ?? mirrored?.state ?? null)
  return {
    id: formatKeyId(identity),
    source: sourceId,
    sourceName: known.name,
    scope,
    key,
    state,
    /** Null = the store was read; else the state is as it was last staged. */
    storeError: store.error,
    attempts: current?.attempts ?? mirrored?.attempts ?? null,
    holder: current?.holder ?? null,
    fence: current?.fence ?? null,
    createdAt: current?.createdAt ?? mirrored?.createdAt ?? null,
    expiresAt: current?.expiresAt ?? mirrored?.expiresAt ?? null,
    response: current?.response ?? null,
    effects: current?.effects ?? [],
    actionsPossible:
      state === null
        ? []
        : KEY_ACTIONS[state].filter((verb) => offeredVerbs(known.capabilities).includes(verb)),
    lock,
    providerObjects: evidence.objects.map(({ money, ...object }) => ({ ...object, ...moneyView(money) })),
    keyedRequests,
    cases,
    actions: actions.map(actionView),
  }
}

/** Null = the object could not be read. */
function moneyView(money: MirrorProviderObject['money']) {
  if (money === null) return { amount: null, captured: null, refunded: null }
  const { currency } = money
  return {
    amount: { minor: money.amountMinor.toString(), currency },
    captured: { minor: money.capturedMinor.toString(), currency },
    refunded: { minor: money.refundedMinor.toString(), currency },
  }
}

async function readStore(
  ctx: ReadContext,
  { sourceId, scope, key }: KeyIdentity,
): Promise<{ reading: KeyReading | null; error: string | null }> {
  try {
    const { source } = await openIntentSource(ctx, sourceId)
    return { reading: await source.readKey(scope, key), error: null }
  } catch (error) {
    ctx.log.warn({ err: error, source: sourceId }, 'the store could not be read')
    return { reading: null, error: error instanceof Error ? error.message : String(error) }
  }
}

async function readKeyedRequests(ctx: ReadContext, scope: string, key: string) {
  const secret = env().IDEMSCOPE_KEY_SECRET
  if (secret === undefined) return []
  return listKeyedRequests(ctx.db, { scope, keyHash: keyHash(secret, key), limit: ATTEMPTS_SHOWN })
}

function describeKey({ lease, record, now }: KeyReading) {
  if (lease !== null) return describeLease(lease, now)
  if (record === null) return null
  const state: KeyState = record.expired ? 'expired' : record.state
  return {
    state,
    attempts: record.attempts,
    holder: null,
    fence: record.fence.toString(),
    createdAt: record.createdAt.toISOString(),
    expiresAt: record.expiresAt.toISOString(),
    // The body may hold anything: it is shown only where it can be redacted.
    response: { status: record.response.status, bodyBytes: Buffer.byteLength(record.response.body) },
    effects: record.effects.map(effectView),
  }
}

const describeLease = (lease: LeaseRow, now: Date) => ({
  state: leaseState(lease, now),
  attempts: lease.attempts,
  holder: lease.owner,
  fence: lease.fence.toString(),
  createdAt: lease.createdAt.toISOString(),
  expiresAt: null,
  response: null,
  effects: lease.effects.map(effectView),
})

const effectView = (effect: StoredEffect) => ({
  step: effect.step,
  name: effect.name,
  state: effect.state,
  reference: effect.reference,
  providerKeyed: effect.providerKey !== null,
  amount:
    effect.amountMinor === null || effect.currency === null
      ? null
      : { minor: effect.amountMinor.toString(), currency: effect.currency },
  begunAt: effect.begunAt.toISOString(),
  settledAt: effect.settledAt?.toISOString() ?? null,
})
