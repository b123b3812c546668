import { latencyText } from '@/app/_ui/format-figure'
import { moneyText } from '@/app/_ui/money-text'
import { outcomeLook } from '@/app/_ui/outcome-look'
import type { JsonValue } from '@/lib/core/json-value'
import type { KeyEffect } from '@/lib/telemetry/read/effects/key-effects'
import type { Sighting } from '@/lib/telemetry/read/requests/sightings'

export type ComparedRow = {
  name: string
  a: string
  b: string
  differs: boolean
  /** Any two attempts differ in it: no finding. */
  expected: boolean
}

type Side = {
  sighting: Sighting
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
    ['Outcome', ({ sighting }) => outcomeLook(sighting.outcome).label],
    ['Payload', payloadText],
    ['Fencing token', ({ sighting }) => sighting.fence ?? 'none taken'],
    ['Attempt', ({ sighting }) => sighting.attempt?.toString() ?? NOT_MEASURED],
    ['Holder', ({ sighting }) => sighting.owner ?? 'none'],
    ['Instance', ({ sighting }) => sighting.instance],
    ['Version', ({ sighting }) => `${sighting.service} ${sighting.version}`],
    ['HTTP status', ({ sighting }) => sighting.statusCode?.toString() ?? 'no answer seen'],
    ['Took', ({ sighting }) => latencyText(sighting.endTime.getTime() - sighting.time.getTime())],
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

function payloadText({ sighting, attributes }: Side): string {
  if (sighting.outcome === 'mismatch') return 'other fingerprint than the first'
  const match = attributes?.['idempotency.fingerprint.match']
  if (match === false) return 'other fingerprint than the first'
  if (match === true || sighting.firstSeen) return 'same fingerprint'
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
