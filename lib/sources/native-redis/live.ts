import type { Redis } from 'ioredis'
import { liveIndexOf, placeOf, SHARDS } from '@/sdk/stores/redis/layout'
import { type LeasePage, setApart, understand } from '../contracts'
import type { RedisConnection } from '../redis/connection'
import { toMs } from '../redis/server'
import { readMember } from './member'
import { createdAtOf, toFields } from './read-key'
import { type LiveKey, toLease } from './rows'

/** One reply of the server at a time, so that others come in between. */
const SHARDS_A_STEP = 128
const KEYS_A_STEP = 100
/** Members spread evenly: a shard with more than so many times its share means more keys than were asked for. */
const SHARE_MAX = 4
const SHARD_MEMBERS_MIN = 32

type Member = { member: string; until: number }

/**
 * Live keys, by the index that the store keeps of them: no key of anybody else is looked at. Those whose lease passed
 * first come first. The clock is read before the index: what is said to be absent was absent then or later.
 */
export async function readLeases(primary: RedisConnection, limit: number): Promise<LeasePage> {
  return primary.use(async (client) => {
    const time = await client.time()
    const { members, cut } = await readIndex(client, limit)
    const chosen = members.sort((a, b) => a.until - b.until).slice(0, limit)
    const found: LiveKey[] = []
    for (let from = 0; from < chosen.length; from += KEYS_A_STEP)
      found.push(...(await readHashes(client, chosen.slice(from, from + KEYS_A_STEP), time.map(String))))
    const rows = found.map((live) => {
      const { scope, key, nowMicros } = live
      const createdAtText = createdAtOf({ kind: 'live', nowMicros, live })
      return understand(() => toLease(live), { place: placeOf(scope, key).data, scope, key, createdAtText })
    })
    const { read, unreadable } = setApart(rows)
    const truncated = cut || members.length > limit
    return {
      now: new Date(toMs(time)),
      leases: read.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime()),
      unreadable,
      truncated,
      // By their leases, not by their age: of those that are missing nobody knows when they were taken.
      ...(truncated ? { wholeUntil: null } : {}),
    }
  })
}

const allShards = Array.from({ length: SHARDS }, (_, shard) => shard)

async function readIndex(client: Redis, limit: number): Promise<{ members: Member[]; cut: boolean }> {
  const perShard = Math.max(SHARD_MEMBERS_MIN, Math.ceil((limit / SHARDS) * SHARE_MAX))
  const answers = await inSteps(client, SHARDS_A_STEP, allShards, (step, shard) =>
    step.zrange(liveIndexOf(shard), '0', String(perShard), 'WITHSCORES'),
  )
  const shards = answers.map((flat) => toMembers(flat as string[]))
  return {
    members: shards.flatMap((members) => members.slice(0, perShard)),
    cut: shards.some(({ length }) => length > perShard),
  }
}

function toMembers(flat: readonly string[]): Member[] {
  const members: Member[] = []
  for (let at = 0; at + 1 < flat.length; at += 2)
    members.push({ member: flat[at] ?? '', until: Number(flat[at + 1]) })
  return members
}

async function readHashes(client: Redis, members: readonly Member[], time: string[]): Promise<LiveKey[]> {
  const named = members.flatMap(({ member }) => readMember(member) ?? [])
  const answers = await inSteps(client, KEYS_A_STEP, named, (step, { scope, key }) =>
    step.hgetall(placeOf(scope, key).data),
  )
  const nowMicros = `${time[0]}${String(time[1]).padStart(6, '0')}`
  return named.flatMap((one, at) => {
    const fields = Object.entries((answers[at] ?? {}) as Record<string, string>)
    // Between the index and this it has ended.
    return fields.length === 0 ? [] : [{ ...one, nowMicros, fields: toFields(fields.flat()) }]
  })
}

type Pipeline = ReturnType<Redis['pipeline']>

/** One command for each, some at a time. What is of another type by now has ended: null. */
async function inSteps<T>(
  client: Redis,
  count: number,
  each: readonly T[],
  add: (step: Pipeline, one: T) => unknown,
): Promise<unknown[]> {
  const answers: unknown[] = []
  for (let from = 0; from < each.length; from += count) {
    const step = client.pipeline()
    for (const one of each.slice(from, from + count)) add(step, one)
    for (const [error, answer] of (await step.exec()) ?? []) {
      if (error !== null && !error.message.startsWith('WRONGTYPE')) throw error
      answers.push(error === null ? answer : null)
    }
  }
  return answers
}
