import { durationText } from '@/lib/core/format-figure'
import { openPort } from '@/sdk/stores/redis/client'
import { readServerFacts } from '@/sdk/stores/redis/server-facts'
import { judge, type RedisHealth } from '@/sdk/stores/redis/start-checks'
import type { StoreCapabilities } from '../contracts'
import type { RedisConnection } from '../redis/connection'
import type { NativeRedisConfig } from './config'

type Durability = NonNullable<StoreCapabilities['durability']>

export const capabilitiesOf = (
  config: NativeRedisConfig,
  durability: Durability | null,
): StoreCapabilities => ({
  canRelease: true,
  canComplete: true,
  canFail: true,
  canCollect: false,
  canHold: true,
  casStrength: 'token',
  zombieSafe: true,
  recordsEffects: true,
  providerKeyed: config.providerKeyed,
  collection: 'by_engine',
  ...(durability === null ? {} : { durability }),
  reading: `Live keys by the store’s own index, at each reading. Finished keys by one walk with pauses; then Redis tells which change. Where it may not be asked to, the walk is done again every ${durationText(config.walkEveryMs)}.`,
  reasons: { collect: 'Redis deletes expired records itself, as they expire. A live key never expires.' },
})

/** What the SDK's own start checks say of the server. */
export async function readDurability(primary: RedisConnection): Promise<Durability> {
  return primary.use(async (client) => {
    const port = openPort(client)
    const servers = port === null ? null : await readServerFacts(port)
    return durabilityOf(judge(servers, true))
  })
}

const KEPT: Record<RedisHealth['durability'], { kept: boolean; text: string }> = {
  'aof always': { kept: true, text: 'each write is on disk before it is acknowledged' },
  'aof everysec': { kept: true, text: 'a crash of the machine forgets the last second or two' },
  'aof no': { kept: false, text: 'a crash of the machine forgets what was not on disk yet' },
  aof: { kept: true, text: 'there is an append-only file; how often it is synced may not be asked' },
  memory: { kept: false, text: 'a restart forgets every key' },
  not_verified: { kept: false, text: 'the server does not say' },
  unchecked: { kept: false, text: 'the server was not asked' },
}

/** Pure. A failover forgets what no replica has heard of, whatever the disk has. */
export function durabilityOf({
  durability,
  faults,
  warnings,
}: Pick<RedisHealth, 'durability' | 'faults' | 'warnings'>): Durability {
  const { kept, text } = KEPT[durability]
  const also = [...faults, ...warnings.filter((warning) => !/restart forgets keys|appendfsync/.test(warning))]
  return { kept: kept && faults.length === 0, text: [text, ...also].join('; ') }
}
