import type { Redis } from 'ioredis'
import { META } from '@/sdk/stores/redis/layout'
import { isUnreadable, type StoreSample, understand } from '../contracts'
import type { Understood } from '../redis/values/rows'
import type { Walker } from '../redis/walk/reader'
import { walkStep } from '../redis/walk/walk-step'
import type { NativeRedisConfig } from './config'
import { memberOf, readMember } from './member'
import { isGivenBack, type Named, readRecordHead, type Tiers, toRecord } from './rows'

/** Of a record that is longer, the ids in its body are not known: others wait while it is read. */
const RECORD_BYTES = 64 * 1024
const KEYS_A_STEP = 50

export const readTiers = async (client: Redis): Promise<Tiers> =>
  new Map(Object.entries(await client.hgetall(META.tiers)).map(([name, ms]) => [name, Number(ms)]))

/** Scope and key by the name of their data; null = it is another key. */
export function namedOf(redisKey: string): Named | null {
  const member = memberOf(redisKey)
  return member === null ? null : readMember(member)
}

type Stored = { redisKey: string; named: Named; stored: Buffer; length: number }

/** The finished keys among these, each with all but perhaps its body. */
export async function understandRecords(
  client: Redis,
  redisKeys: readonly string[],
  config: NativeRedisConfig,
): Promise<[string, Understood][]> {
  const tiers = await readTiers(client)
  const found: [string, Understood][] = []
  for (let from = 0; from < redisKeys.length; from += KEYS_A_STEP) {
    for (const each of await readStrings(client, redisKeys.slice(from, from + KEYS_A_STEP))) {
      const { redisKey, named, length } = each
      const remnant = { place: redisKey, ...named, createdAtText: null }
      const head = understand(() => readRecordHead(each.stored), remnant)
      if (isUnreadable(head)) {
        found.push([redisKey, { kind: 'unreadable', row: head }])
        continue
      }
      // Effects are read to their end, however many there are.
      const isCut = head.bodyAt > each.stored.length && each.stored.length < length
      const stored = isCut ? await readTo(client, redisKey, head.bodyAt) : each.stored
      // It has expired since.
      if (stored === null) continue
      const row = understand(() => toRecord(named, stored, length, { config, tiers }).record, remnant)
      if (isUnreadable(row)) {
        found.push([redisKey, { kind: 'unreadable', row }])
        continue
      }
      const response = { status: row.status ?? 0, headers: {}, body: '' }
      found.push([redisKey, { kind: 'ended', record: row, response, expiresMs: row.expiresAt.getTime() }])
    }
  }
  return found
}

async function readTo(client: Redis, redisKey: string, bytes: number): Promise<Buffer | null> {
  const stored = await client.getrangeBuffer(redisKey, 0, bytes - 1).catch(unlessOther)
  return stored === null || stored.length === 0 ? null : stored
}

/** A live key is a hash, not a string. */
function unlessOther(error: Error): null {
  if (error.message.startsWith('WRONGTYPE')) return null
  throw error
}

/** Live keys are hashes: the server answers WRONGTYPE, and they are left out. */
async function readStrings(client: Redis, redisKeys: readonly string[]): Promise<Stored[]> {
  const ours = redisKeys.flatMap((redisKey) => {
    const named = namedOf(redisKey)
    return named === null ? [] : [{ redisKey, named }]
  })
  const step = client.pipeline()
  for (const { redisKey } of ours) step.strlen(redisKey).getrangeBuffer(redisKey, 0, RECORD_BYTES - 1)
  const answers = ours.length === 0 ? [] : ((await step.exec()) ?? [])
  return ours.flatMap((one, at) => {
    const [length, stored] = [answers[2 * at], answers[2 * at + 1]]
    const error = length?.[0] ?? stored?.[0] ?? null
    if (error !== null && !error.message.startsWith('WRONGTYPE')) throw error
    const text = stored?.[1]
    if (error !== null || !Buffer.isBuffer(text) || text.length === 0 || isGivenBack(text)) return []
    return [{ ...one, stored: text, length: Math.max(Number(length?.[1]), text.length) }]
  })
}

/** A sample looks at about so many keys of the store. */
const LOOKED_KEYS = 2_000
/** Beside its text a record takes this much: the name's object, the entry, the expiry. */
const KEY_BYTES = 120

type Tally = { looked: number; bytes: number; oldestMs: number }

/** Finished keys by tier, by their share of the first keys of a walk. */
export async function sampleStore(client: Redis, walker: Walker): Promise<StoreSample[]> {
  const size = await client.dbsize()
  const tallies = new Map<string, Tally>()
  const everything = { ...walker, pattern: { prefix: '' } }
  let looked = 0
  let cursor = '0'
  do {
    const { next, pauseMs } = await walkStep(
      client,
      cursor,
      async (redisKeys) => {
        looked += redisKeys.length
        for (const each of await readStrings(client, redisKeys)) addTo(tallies, each)
      },
      everything,
    )
    cursor = next
    if (cursor !== '0') await walker.pause(pauseMs)
  } while (cursor !== '0' && looked < LOOKED_KEYS)
  const share = cursor === '0' || looked === 0 ? 1 : size / looked
  return [...tallies].map(([tier, tally]) => ({
    tier,
    rows: BigInt(Math.round(tally.looked * share)),
    bytes: BigInt(Math.round(tally.bytes * share)),
    // Redis deletes them itself.
    expiredRows: 0n,
    oldestAt: new Date(tally.oldestMs),
    oldestExpiredAt: null,
  }))
}

function addTo(tallies: Map<string, Tally>, { redisKey, named, stored, length }: Stored): void {
  const head = understand(() => readRecordHead(stored), { place: redisKey, ...named, createdAtText: null })
  if (isUnreadable(head)) return
  const { tier, createdMicros } = head
  const tally = tallies.get(tier) ?? { looked: 0, bytes: 0, oldestMs: Number.POSITIVE_INFINITY }
  tallies.set(tier, {
    looked: tally.looked + 1,
    bytes: tally.bytes + KEY_BYTES + Buffer.byteLength(redisKey) + length,
    oldestMs: Math.min(tally.oldestMs, Math.floor(Number(createdMicros) / 1_000)),
  })
}
