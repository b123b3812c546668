import { moneyText } from '@/app/_ui/money-text'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { latencyText } from '@/lib/core/format-figure'
import type { JsonValue } from '@/lib/core/json-value'
import type { KeyEffect } from '@/lib/telemetry/read/effects/key-effects'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'

export type ComparedRow = {
  name: string
  a: string
  b: string
  differs: boolean
  /** Any two attempts differ in it: no finding. */
  expected: boolean
}

type Side = {
  keyedRequest: KeyedRequest
  effects: readonly KeyEffect[]
  attributes: Record<string, JsonValue> | null
}

const NOT_MEASURED = 'not measured'

/** Attributes that every request differs in, and that say nothing of what was asked. */
const NOISE =
  /^(idempotency\.(lock|record|attempt|outcome|original|store|fingerprint|effect)|http\.response\.|net\.|network\.|client\.port|server\.port)/

/** Two attempts, fact by fact: what the store and the service said of each. */
export function compareFacts(a: Side, b: Side): ComparedRow[] {
  const rows: [name: string, of: (side: Side) => string][] = [
    ['Outcome', ({ keyedRequest }) => outcomeLook(keyedRequest.outcome).label],
    ['Payload', payloadText],
    ['Fencing token', ({ keyedRequest }) => keyedRequest.fence ?? 'none taken'],
    ['Attempt', ({ keyedRequest }) => keyedRequest.attempt?.toString() ?? NOT_MEASURED],
    ['Holder', ({ keyedRequest }) => keyedRequest.owner ?? 'none'],
    ['Instance', ({ keyedRequest }) => keyedRequest.instance],
    ['Version', ({ keyedRequest }) => `${keyedRequest.service} ${keyedRequest.version}`],
    ['HTTP status', ({ keyedRequest }) => keyedRequest.statusCode?.toString() ?? 'no answer seen'],
    ['Took', ({ keyedRequest }) => latencyText(keyedRequest.endTime.getTime() - keyedRequest.time.getTime())],
    ['Effects', effectsText],
  ]
  return rows.map(([name, of]) => ({ ...toRow(name, of(a), of(b)), expected: EXPECTED.has(name) }))
}

/** Each attempt has its own. The first one's payload is what the others are compared with. */
const EXPECTED = new Set(['Fencing token', 'Attempt', 'Holder', 'Instance', 'Took'])

/** What of the two requests themselves differs: their span attributes, redacted. Null = spans are kept no more. */
export function comparePayload(a: Side, b: Side): ComparedRow[] | null {
  const [left, right] = [a.attributes, b.attributes]
  if (left === null || right === null) return null
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
  return names
    .filter((name) => !NOISE.test(name))
    .map((name) => toRow(name, valueText(left[name]), valueText(right[name])))
    .filter(({ differs }) => differs)
}

const toRow = (name: string, a: string, b: string): ComparedRow => ({
  name,
  a,
  b,
  differs: a !== b,
  expected: false,
})

const valueText = (value: JsonValue | undefined): string =>
  value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value)

function payloadText({ keyedRequest, attributes }: Side): string {
  if (keyedRequest.outcome === 'mismatch') return 'other fingerprint than the first'
  const match = attributes?.['idempotency.fingerprint.match']
  if (match === false) return 'other fingerprint than the first'
  if (match === true || keyedRequest.firstSeen) return 'same fingerprint'
  return NOT_MEASURED
}

function effectsText({ effects }: Side): string {
  if (effects.length === 0) return 'none'
  return effects
    .map(({ effectId, step, amount }) => {
      const money =
        amount === null ? '' : ` ${moneyText({ minor: amount.minor.toString(), currency: amount.currency })}`
      return `${effectId === '' ? step : effectId}${money}`
    })
    .join(', ')
}
