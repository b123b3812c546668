import type { DeliveryFact } from '@/lib/telemetry/interpret/delivery'
import type { EffectFact } from '@/lib/telemetry/interpret/effect'
import type { RequestFact } from '@/lib/telemetry/interpret/request'
import type { Micros } from '@/lib/telemetry/micros'

/** What a span says about requests, effects and messages. */
export type FactRow = {
  request: RequestFact | null
  effect: EffectFact | null
  delivery: DeliveryFact | null
  start: Micros
  end: Micros
  traceId: string
  spanId: string
  resource: Resource
  /** what the batch says about its keys: filled in by collectKeys */
  requestKey: KeyFacts | null
  effectKey: KeyFacts | null
}

/** What a batch says about one (key, scope); times are merged by min and max. */
export type KeyFacts = {
  keyHash: string
  scope: string
  seenFirst: Micros
  seenLast: Micros
  firstRequestAt: Micros | null
  expiryAt: Micros | null
  terminalAt: Micros | null
  /** Infinity: no expiry was told */
  terminalUntil: Micros | null
  /** stored before this batch: with the batch's facts merged in, as lockKeys found them */
  known: boolean
  /** flags of what is stored of it may have to change, or need a look at its effects */
  keyedRequestsStale: boolean
  effectsStale: boolean
  /** `name step` of its effects in this batch */
  effects: Set<string> | null
  /** one of them comes twice: they need comparing */
  twice: boolean
}

export type Resource = {
  service: string
  version: string
  instance: string
  environment: string
  region: string
  /** the same for the same five */
  id: string
  /** the five of them as RowWriter writes them */
  fields: Buffer
}
