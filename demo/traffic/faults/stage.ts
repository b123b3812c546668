import type { VictimPool } from '../../processes/victim-pool'
import { storePrefixes } from '../../stores/names'
import type { SentRequest } from '../../truth'
import type { Client } from '../client'
import type { MessageEyes } from '../message-eyes'
import type { Operation } from '../operation'
import type { ProviderEyes } from '../provider-eyes'

/** What a fault's script has at hand. */
export interface Stage {
  readonly operation: Operation
  /** The caller of the operation. */
  readonly client: Client
  readonly victims: VictimPool
  readonly provider: ProviderEyes
  readonly messages: MessageEyes
  /** Resolves after a time; rejects when the demo stops. */
  wait(delayMs: number): Promise<void>
}

/** What a script did, as the reconciler will name it. */
export interface Finding {
  readonly scope: string
  readonly key: string
  readonly effectIds: readonly string[]
  readonly reference: string
  readonly request?: SentRequest
  readonly messageIds?: readonly string[]
}

export type FaultScript = (stage: Stage) => Promise<Finding>

export const paymentsRoute = '/v1/payments'
/** A request reaches an armed point within this, also on a busy machine. */
export const reachTimeoutMs = 10_000

export function paymentBody(operation: Operation) {
  const { reference, customer, amountMinor, currency } = operation
  return { reference, customer, amountMinor, currency }
}

export function scopeOf({ operation: { client, store } }: Stage, route: string): string {
  return `${client}/POST ${storePrefixes[store]}${route}`
}

/** The finding of an operation on one key. */
export function findingOf(stage: Stage, route: string, key: string, effectIds: readonly string[]): Finding {
  const { client: caller, reference, store } = stage.operation
  const request = {
    caller,
    method: 'POST',
    path: storePrefixes[store] + route,
    body: JSON.stringify(paymentBody(stage.operation)),
  } as const
  return { scope: scopeOf(stage, route), key, effectIds, reference, request }
}

/** A script that did not do what it claims must not write truth. */
export function expectCount(effectIds: readonly string[], count: number): readonly string[] {
  if (effectIds.length !== count)
    throw new Error(`expected ${count} charges, found ${effectIds.join(', ') || 'none'}`)
  return effectIds
}
