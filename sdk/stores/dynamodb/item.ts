import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Json } from '../../effects/json'
import { STEP_STATES } from '../state-letters'
import type { EffectKind, Step } from '../store'
import type { Item } from './database'

export type StateLetter = 'L' | 'R' | 'U' | 'C' | 'F' | 'G'

/** An item of a key, as layout.ts describes it. What its state has no use for is empty or 0. */
export type KeyItem = {
  state: StateLetter
  fence: bigint
  version: bigint
  nonce: string | null
  owner: string
  attempts: number
  createdMs: number
  leaseUntilMs: number
  heartbeatMs: number
  fingerprint: Uint8Array
  tier: string
  traceId: string | null
  recoveryPoint: string | null
  reopened: boolean
  steps: ReadonlyMap<string, StepItem>
  status: number
  headers: [string, string][]
  expiresMs: number
  body: StoredBody
}

/** As it is stored: whole, or in parts of items of their own. */
export type StoredBody = {
  bytes: Uint8Array
  /** null = not compressed. */
  rawBytes: number | null
  parts: { count: number; hash: Uint8Array } | null
}

export type StepItem = {
  name: string
  kind: EffectKind | 'checkpoint'
  state: 'B' | 'C' | 'F' | 'U'
  fence: bigint
  nonce: string | null
  begunMicros: bigint
  settledMicros: bigint | null
  providerKey: string | null
  reference: string | null
  amountMinor: bigint | null
  currency: string | null
  result: Json
  failures: number
  inDoubt: boolean
}

/** As it is when it is begun for the first time. */
export const NEW_STEP: StepItem = {
  name: '',
  kind: 'other',
  state: 'B',
  fence: 0n,
  nonce: null,
  begunMicros: 0n,
  settledMicros: null,
  providerKey: null,
  reference: null,
  amountMinor: null,
  currency: null,
  result: null,
  failures: 0,
  inDoubt: false,
}

const NO_BYTES = new Uint8Array()

export function readKeyItem(item: Item): KeyItem {
  const parts = numberIn(item, 'm')
  return {
    state: textIn(item, 's') as StateLetter,
    fence: bigIn(item, 'f') ?? 0n,
    version: bigIn(item, 'v') ?? 0n,
    nonce: item.a?.S ?? null,
    owner: item.o?.S ?? '',
    attempts: numberIn(item, 'n') ?? 1,
    createdMs: numberIn(item, 'c') ?? 0,
    leaseUntilMs: numberIn(item, 'u') ?? 0,
    heartbeatMs: numberIn(item, 'h') ?? 0,
    fingerprint: item.p?.B ?? NO_BYTES,
    tier: item.t?.S ?? '',
    traceId: item.i?.B === undefined ? null : Buffer.from(item.i.B).toString('hex'),
    recoveryPoint: item.r?.S ?? null,
    reopened: item.e?.BOOL ?? false,
    steps: new Map(Object.entries(item.steps?.M ?? {}).map(([name, step]) => [name, readStep(step.M ?? {})])),
    status: numberIn(item, 'q') ?? 0,
    headers: item.d?.S === undefined ? [] : (JSON.parse(item.d.S) as [string, string][]),
    expiresMs: numberIn(item, 'x') ?? 0,
    body: {
      bytes: item.b?.B ?? NO_BYTES,
      rawBytes: numberIn(item, 'z'),
      parts: parts === null ? null : { count: parts, hash: item.g?.B ?? NO_BYTES },
    },
  }
}

const readStep = (step: Record<string, AttributeValue>): StepItem => ({
  name: textIn(step, 'n'),
  kind: textIn(step, 'k') as StepItem['kind'],
  state: textIn(step, 's') as StepItem['state'],
  fence: bigIn(step, 'f') ?? 0n,
  nonce: step.a?.S ?? null,
  begunMicros: bigIn(step, 'b') ?? 0n,
  settledMicros: bigIn(step, 'w'),
  providerKey: step.p?.S ?? null,
  reference: step.r?.S ?? null,
  amountMinor: bigIn(step, 'm'),
  currency: step.c?.S ?? null,
  result: step.d?.S === undefined ? null : (JSON.parse(step.d.S) as Json),
  failures: numberIn(step, 'x') ?? 0,
  inDoubt: step.q?.BOOL ?? false,
})

/** What is undefined or null is left out. */
export const writeStep = (step: StepItem): AttributeValue => ({
  M: Object.fromEntries(
    Object.entries({
      n: { S: step.name },
      k: { S: step.kind },
      s: { S: step.state },
      f: { N: String(step.fence) },
      b: { N: String(step.begunMicros) },
      a: optional('S', step.nonce),
      w: optional('N', step.settledMicros?.toString()),
      p: optional('S', step.providerKey),
      r: optional('S', step.reference),
      m: optional('N', step.amountMinor?.toString()),
      c: optional('S', step.currency),
      d: step.result === null ? undefined : { S: JSON.stringify(step.result) },
      x: step.failures === 0 ? undefined : { N: String(step.failures) },
      q: step.inDoubt ? { BOOL: true } : undefined,
    }).filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined),
  ),
})

const optional = (type: 'S' | 'N', value: string | null | undefined): AttributeValue | undefined =>
  value === null || value === undefined ? undefined : type === 'S' ? { S: value } : { N: value }

/** What earlier attempts left, oldest first. */
export const stepsOf = (item: KeyItem): Step[] =>
  [...item.steps]
    .sort(([, a], [, b]) => (a.begunMicros < b.begunMicros ? -1 : a.begunMicros > b.begunMicros ? 1 : 0))
    .map(([step, { name, kind, state, reference, amountMinor, currency, result }]) => ({
      ...{ step, name, kind, state: STEP_STATES[state], reference, amountMinor, currency, result },
    }))

const effectsOf = (item: KeyItem): StepItem[] =>
  [...item.steps.values()].filter(({ kind }) => kind !== 'checkpoint')

/** An effect was begun and nobody knows its end. */
export const hasOpenEffect = (item: KeyItem): boolean =>
  effectsOf(item).some(({ state }) => state === 'B' || state === 'U')

/** An effect may have happened. */
export const hasEffect = (item: KeyItem): boolean => effectsOf(item).some(({ state }) => state !== 'F')

/** Nothing but effects that are known to have failed. */
export const hasOnlyFailures = (item: KeyItem): boolean =>
  [...item.steps.values()].every(
    ({ kind, state, inDoubt }) => kind !== 'checkpoint' && state === 'F' && !inDoubt,
  )

function textIn(item: Item, name: string): string {
  const value = item[name]?.S
  if (value === undefined)
    throw new Error(`an item of the idempotency table has no ${name}: it is not the store's`)
  return value
}

function numberIn(item: Item, name: string): number | null {
  const value = item[name]?.N
  return value === undefined ? null : Number(value)
}

function bigIn(item: Item, name: string): bigint | null {
  const value = item[name]?.N
  return value === undefined ? null : BigInt(value)
}
