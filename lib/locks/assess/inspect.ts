import type { SystemContext } from '@/lib/context'
import type { RefusalReason } from '@/lib/core/refusals'
import type { KeyAction } from '@/lib/core/states'
import type { IntentSource, LeaseRow, StoredResponse } from '@/lib/sources/contracts'
import { type OpenSource, openIntentSource } from '@/lib/sources/registry'
import type { KeySettings } from '../settings'
import { createProviderAsker } from './ask-provider'
import { type Assessment, assessLock } from './assess-lock'
import type { FoundEffect } from './found-effect'
import { aheadMs, holderLife, type LeaseReading } from './holder-life'
import { type LockVersion, lockVersion } from './lock-version'
import type { ProviderAnswer } from './provider-answer'
import { endpointOf, recoverResponse } from './recover-response'
import { readUnchangedSince } from './unchanged-since'

export type Target = {
  sourceId: string
  scope: string
  key: string
  /** What the operator looked at; null = act on what is found now (a case, whose own evidence was compared). */
  seen: LockVersion | null
}

export type Reading = LeaseReading & {
  /** Its stamps lie ahead of the store's clock by this much; 0 = they do not. */
  aheadMs: number
  answer: ProviderAnswer
  assessment: Assessment
  version: LockVersion
}

export type Inspection =
  | { kind: 'ready'; store: OpenSource<IntentSource>; reading: Reading; response: StoredResponse | null }
  | { kind: 'refused'; reason: RefusalReason; reading: Reading | null }

export type Asker = Pick<ReturnType<typeof createProviderAsker>, 'ask'>

/**
 * Reads store and provider again and says whether the verb may be done: what the dry run, the execution and the bulk
 * job all go through. Never inside a transaction.
 */
export async function inspect(
  ctx: SystemContext,
  verb: KeyAction,
  target: Target,
  settings: KeySettings,
  asker?: Asker,
): Promise<Inspection> {
  const store = await openIntentSource(ctx, target.sourceId)
  let read: Awaited<ReturnType<IntentSource['readKey']>>
  try {
    read = await store.source.readKey(target.scope, target.key)
  } catch (error) {
    ctx.log.warn({ err: error, source: target.sourceId }, 'the store could not be read')
    return { kind: 'refused', reason: 'store_unreachable', reading: null }
  }
  const { lease, now: storeNow } = read
  if (lease === null) return { kind: 'refused', reason: 'gone', reading: null }

  const leaseReading = await toLeaseReading(ctx, target.sourceId, lease, storeNow, settings)
  const changed = storeChange(leaseReading, target.seen, settings)
  if (changed !== null) return { kind: 'refused', reason: changed, reading: null }

  const answer = await (asker ?? createProviderAsker(ctx, store.system, settings)).ask(leaseReading)
  const reading = readingOf(store.source, leaseReading, answer, settings)
  const refusal = reading.assessment.refused[verb]
  if (refusal !== undefined) return { kind: 'refused', reason: refusal, reading }
  if (target.seen !== null && target.seen.evidence !== reading.version.evidence) {
    return { kind: 'refused', reason: 'evidence_changed', reading }
  }
  return {
    kind: 'ready',
    store,
    reading,
    response: verb === 'complete' ? recover(store.source, reading) : null,
  }
}

/** What is needed to tell whether its holder lives: how long it has been as it is, where its stamps do not tell. */
export async function toLeaseReading(
  ctx: SystemContext,
  sourceId: string,
  lease: LeaseRow,
  storeNow: Date,
  settings: KeySettings,
): Promise<LeaseReading> {
  const watched = lease.clientClock === true || aheadMs({ lease, storeNow }, settings) > 0
  const unchangedSince = watched ? await readUnchangedSince(ctx.db, sourceId, lease) : null
  return { lease, storeNow, unchangedSince }
}

/** A lease with the provider's answer, assessed. */
export function readingOf(
  source: IntentSource,
  leaseReading: LeaseReading,
  answer: ProviderAnswer,
  settings: KeySettings,
): Reading {
  const { lease } = leaseReading
  const template = source.responses[endpointOf(lease.scope)]
  const assessment = assessLock({
    ...leaseReading,
    answer,
    capabilities: source.capabilities,
    responseKnown: (effect: FoundEffect) => recoverResponse(template, effect, lease.key) !== null,
    settings,
  })
  const version = lockVersion(lease, answer)
  return { ...leaseReading, aheadMs: aheadMs(leaseReading, settings), answer, assessment, version }
}

function recover(source: IntentSource, { lease, assessment }: Reading): StoredResponse | null {
  if (assessment.effect === null) return null
  return recoverResponse(source.responses[endpointOf(lease.scope)], assessment.effect, lease.key)
}

/** How the store's side differs from what was seen; the most telling difference first. */
function storeChange(
  reading: LeaseReading,
  seen: LockVersion | null,
  settings: KeySettings,
): RefusalReason | null {
  const { lease } = reading
  const life = holderLife(reading, settings)
  if (seen !== null && seen.fence !== lease.fence.toString()) return 'fence_changed'
  if (life.kind === 'watched') return 'clock_ahead'
  if (life.kind === 'alive' || life.kind === 'grace') return 'holder_alive'
  if (seen === null) return null
  const now = lockVersion(lease, { kind: 'not_asked' })
  return now.store === seen.store ? null : 'state_changed'
}
