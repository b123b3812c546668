import { durationText } from '@/lib/core/format-figure'
import type { StoreCapabilities } from '../contracts'
import type { TableSize } from './client/database'
import type { DynamoConfig, Mapping } from './config'
import type { DynamoVerb } from './operate'
import { AGAIN_MS } from './walk/live'
import type { Look } from './walk/look'

/** An eventually consistent unit pays for 8 KB. */
const BYTES_A_UNIT = 8_192
const HOUR_MS = 3_600_000

type Seen = { size: TableSize | null; whole: { look: Look } | null; live: number }

/** What is safe on this table, why the rest is not offered, and what reading it costs. */
export function capabilitiesOf(config: DynamoConfig, mapping: Mapping, seen: Seen): StoreCapabilities {
  const reasons: NonNullable<StoreCapabilities['reasons']> = { zombie: mapping.zombie }
  for (const verb of ['release', 'complete', 'fail'] as const) {
    const reason = verbRefusal(mapping, verb)
    if (reason !== null) reasons[verb] = reason
  }
  if (reasons.release === undefined && mapping.lease !== undefined)
    reasons.release = `Compares every stamp that was seen; a key whose ${mapping.lease.attribute} is missing has no lease and is not released: nothing in the store tells that its holder is dead.`
  reasons.collect = 'DynamoDB deletes expired items itself, days late at times: it is only reported.'
  return {
    canRelease: verbRefusal(mapping, 'release') === null,
    canComplete: verbRefusal(mapping, 'complete') === null,
    canFail: verbRefusal(mapping, 'fail') === null,
    canCollect: false,
    casStrength: 'value',
    zombieSafe: false,
    providerKeyed: config.providerKeyed,
    ...(mapping.createdAt === undefined ? { writesBeginLives: true } : {}),
    collection: 'by_engine',
    reading: readingText(config, seen),
    reasons,
  }
}

export function verbRefusal(mapping: Mapping, verb: DynamoVerb): string | null {
  const { state, lease, response } = mapping
  if (state.kind === 'finished') return 'The library writes finished items only: no key is ever held.'
  if (lease === undefined)
    return 'The library keeps no lease: nothing in the store tells that a holder is dead. Such a key is stuck until it expires.'
  if (mapping[verb] === undefined)
    return verb === 'fail'
      ? 'The library keeps no failed keys: who fails deletes the item.'
      : `The mapping does not say what a ${verb} writes.`
  if (verb === 'release') return null
  if (response === undefined) return 'The mapping names no attribute for a response.'
  if (response.kind === 'returned' && response.returns === undefined)
    return 'The configuration does not say what the function returns: set layout.returns to api-gateway or value.'
  return null
}

/** Before the first walk by the size that DynamoDB says, which is some hours old; then as measured. */
export function readingText({ scan }: Pick<DynamoConfig, 'scan'>, { size, whole, live }: Seen): string {
  const turns = Math.max(1, HOUR_MS / scan.everyMs)
  const measured = whole?.look.units
  const units = measured ?? (size === null ? null : Math.max(1, size.bytes / BYTES_A_UNIT))
  const pace = `Read whole every ${durationText(scan.everyMs)} at ${scan.unitsPerSecond} capacity units a second or less`
  if (units === null) return pace
  const cost = Math.ceil(Math.min(units * turns, (scan.unitsPerSecond * HOUR_MS) / 1_000))
  const how = measured === undefined ? 'by its size about' : 'by the last walk'
  const again =
    live === 0 ? '' : `, and ${(live * HOUR_MS) / AGAIN_MS} for its live keys, each read again every minute`
  const age =
    whole === null
      ? 'it has not been read whole yet'
      : `last read whole as of ${whole.look.startedAt.toISOString()}`
  return `${pace}: ${how} ${cost} capacity units an hour${again}; ${age}, and keys taken since are missing.`
}
