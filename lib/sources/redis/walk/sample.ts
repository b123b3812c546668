import type { Redis } from 'ioredis'
import type { StoreSample } from '../../contracts'
import { isLock, understandValue } from '../values/rows'
import { readValues, type StoredValue } from './read-values'
import type { Reader } from './reader'
import { walkStep } from './walk-step'

/** A sample looks at about so many keys of the store. */
const LOOKED_KEYS = 2_000
/** Beside its text a string takes this much, where it was measured: the name's object, the entry, the expiry. */
const KEY_BYTES = 120

/** How many keys and bytes a store's records take, by the share that they have of the first keys of a walk. */
export async function sampleKeys(client: Redis, reader: Reader): Promise<StoreSample[]> {
  const { config, pattern } = reader
  const size = await client.dbsize()
  const all = await lookAt(client, reader)
  const ours = all.values.filter((stored) => {
    if (isLock(stored.redisKey, config)) return false
    return understandValue(stored, config, pattern).kind !== 'other'
  })
  const bytes = ours.reduce(
    (sum, { redisKey, value }) => sum + KEY_BYTES + redisKey.length + lengthOf(value),
    0,
  )
  // Whoever looks at all of them has counted; of more, their share of what was looked at is taken.
  const share = all.complete || all.looked === 0 ? 1 : size / all.looked
  const writtenMs = ours.map(({ expiresMs }) => expiresMs - config.ttlMs).filter((at) => at > 0)
  return [
    {
      tier: 'all',
      rows: BigInt(Math.round(ours.length * share)),
      bytes: BigInt(Math.round(bytes * share)),
      // Redis deletes them itself.
      expiredRows: 0n,
      oldestAt: writtenMs.length === 0 ? null : new Date(Math.min(...writtenMs)),
      oldestExpiredAt: null,
    },
  ]
}

const lengthOf = (value: StoredValue['value']): number =>
  value.kind === 'text'
    ? value.text.length
    : value.fields.reduce((sum, [name, held]) => sum + name.length + held.length, 0)

/** Keys from the beginning of a walk: every key of the store is as likely to be there, whoever it belongs to. */
async function lookAt(client: Redis, reader: Reader) {
  const values: StoredValue[] = []
  const everything = { ...reader, pattern: { ...reader.pattern, prefix: '' } }
  let looked = 0
  let cursor = '0'
  do {
    const step = await walkStep(
      client,
      cursor,
      async (redisKeys) => {
        looked += redisKeys.length
        const ours = redisKeys.filter((redisKey) => reader.pattern.parse(redisKey) !== null)
        values.push(...(await readValues(client, ours, reader.config)))
      },
      everything,
    )
    cursor = step.next
    if (cursor !== '0') await reader.pause(step.pauseMs)
  } while (cursor !== '0' && looked < LOOKED_KEYS)
  return { values, looked, complete: cursor === '0' }
}
