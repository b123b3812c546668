import { z } from 'zod'
import { liftHold, placeHold, type StoredHold } from '@/sdk/stores/redis/holds'
import { META } from '@/sdk/stores/redis/layout'
import type { Run } from '@/sdk/stores/redis/script'
import { HOLD_REFUSALS, type HoldSource, type StoreHold } from '../contracts'
import { holdTargetOf, listedHolds, placedAtTextOf, toSdkTarget } from '../native/hold-list'
import type { RedisConnection } from '../redis/connection'
import { readTime } from '../redis/server'
import { dateOf } from './stamps'

const placedSchema = z.enum(['placed', ...HOLD_REFUSALS])
const SCAN_COUNT = '1000'
/** Names of scopes that are looked through for routes and callers. */
const NAMES_MAX = 20_000

/** Holds as the SDK keeps them in this Redis, placed and lifted by its own scripts. */
export function openHolds(primary: RedisConnection): HoldSource {
  // Sent once: what becomes of a lost answer is found out by reading.
  const run: Run = ({ lua }, keys, args) =>
    primary.use(
      async (client) =>
        (await client.callBuffer('EVAL', lua, keys.length, ...keys, ...args)) as Awaited<ReturnType<Run>>,
    )

  async function readAll(): Promise<StoreHold[]> {
    const { now, stored } = await primary.use(async (client) => ({
      now: await readTime(client),
      stored: await client.hgetall(META.holds),
    }))
    return Object.entries(stored).map(([id, json]) => toHold(id, JSON.parse(json) as StoredHold, now))
  }

  return {
    list: async (options) => listedHolds(await readAll(), options),
    read: async (id) => (await readAll()).find((hold) => hold.id === id) ?? null,
    async place({ id, target, reason, by, end }) {
      const lastsMs = 'at' in end ? end.at.getTime() - (await primary.use(readTime)) : end.lastsMs
      const { said } = await placeHold(run, { ...toSdkTarget(target), id, reason, by, lastsMs })
      return placedSchema.parse(said)
    },
    lift: (id, { reason, by }) => liftHold(run, id, reason, by),
    async targets(limit) {
      const found = { route: new Set<string>(), caller: new Set<string>() }
      let cursor = '0'
      let looked = 0
      do {
        const [next, names] = await primary.use((client) =>
          client.sscan(META.seen, cursor, 'COUNT', SCAN_COUNT),
        )
        cursor = next
        looked += names.length
        for (const name of names) {
          const [kind = '', ...rest] = name.split('\n')
          if (kind === 'route' || kind === 'caller') found[kind].add(rest.join('\n'))
        }
      } while (cursor !== '0' && looked < NAMES_MAX)
      const of = (names: Set<string>) => [...names].sort().slice(0, limit)
      return { routes: of(found.route), callers: of(found.caller) }
    },
  }
}

function toHold(id: string, stored: StoredHold, nowMs: number): StoreHold {
  return {
    id,
    target: holdTargetOf(stored.kind, stored),
    reason: stored.reason,
    placedBy: stored.placedBy,
    placedAt: dateOf(stored.placedAt),
    placedAtText: placedAtTextOf(stored.placedAt),
    endsAt: dateOf(stored.endsAt),
    liftedAt: stored.liftedAt === undefined ? null : dateOf(stored.liftedAt),
    liftedBy: stored.liftedBy ?? null,
    liftReason: stored.liftReason ?? null,
    inForce: stored.liftedAt === undefined && Number(stored.endsAt) / 1_000 > nowMs,
  }
}
