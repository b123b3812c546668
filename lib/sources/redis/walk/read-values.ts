import type { Redis } from 'ioredis'
import type { RedisConfig } from '../config'
import { toMs } from '../server'
import type { RawValue } from '../values/read-value'

/** A value with its expiry, read in one step of the server. */
export type StoredValue = {
  redisKey: string
  value: RawValue
  /** PEXPIRETIME: ms since 1970, or -1 where it never expires. */
  expiresMs: number
  /** The store's clock of the same moment. */
  nowMs: number
  /** It is longer than what was asked for. */
  cut: boolean
}

/** A key is read whole up to here. Request and response together are rarely a hundredth of it. */
export const VALUE_BYTES_MAX = 4 * 1024 * 1024
/** One step of the server, which others wait for, and one answer, which it holds in memory: fewer keys where they are read whole. */
const KEYS_A_STEP = 50
const WHOLE_KEYS_A_STEP = 8

/** The values of keys, each with its expiry as of the same moment; those that are gone or of another type are left out. */
export async function readValues(
  client: Redis,
  redisKeys: readonly string[],
  config: RedisConfig,
  bytesMax: number = VALUE_BYTES_MAX,
): Promise<StoredValue[]> {
  const found: StoredValue[] = []
  const count = bytesMax === VALUE_BYTES_MAX ? WHOLE_KEYS_A_STEP : KEYS_A_STEP
  for (let first = 0; first < redisKeys.length; first += count) {
    const keys = redisKeys.slice(first, first + count)
    found.push(...(await readStep(client, keys, config, bytesMax)).values)
  }
  return found
}

/**
 * What the first bytes of a value say: all of these libraries but one write the status first. Null = they do not say it.
 */
export function stateOfHead({ value }: StoredValue, config: RedisConfig): 'live' | 'ended' | null {
  if (value.kind === 'hash') return null
  const [, name, status = ''] = /^\{"([^"\\]+)":"([^"\\]+)"/.exec(value.text.toString('latin1')) ?? []
  const { field, live, ended } = STATUS[config.library](config)
  if (name !== field) return null
  return live.includes(status) ? 'live' : ended.includes(status) ? 'ended' : null
}

type Status = { field: string | null; live: readonly string[]; ended: readonly string[] }
const STATUS: Record<RedisConfig['library'], (config: RedisConfig) => Status> = {
  powertools: ({ attributes }) => ({ field: attributes.status, live: ['INPROGRESS'], ended: ['COMPLETED'] }),
  'node-idempotency': () => ({ field: 'status', live: ['IN_PROGRESS'], ended: ['COMPLETE'] }),
  'express-idempotency': () => ({ field: null, live: [], ended: [] }),
  mapped: ({ mapping }) => ({
    field: mapping.status,
    live: mapping.inProgress,
    ended: [...mapping.completed, ...mapping.failed],
  }),
}

/** One key, and the store's clock of the same moment. */
export async function readOne(
  client: Redis,
  redisKey: string,
  config: RedisConfig,
): Promise<{ nowMs: number; found: StoredValue | null }> {
  const { nowMs, values } = await readStep(client, [redisKey], config, VALUE_BYTES_MAX)
  return { nowMs, found: values[0] ?? null }
}

async function readStep(client: Redis, keys: readonly string[], config: RedisConfig, bytesMax: number) {
  const isHash = config.library === 'mapped' && config.mapping.format === 'hash'
  const step = client.multi().time()
  for (const key of keys) {
    if (isHash) step.hgetall(key)
    else step.getrangeBuffer(key, 0, bytesMax)
    step.pexpiretime(key)
  }
  const answers = (await step.exec()) ?? []
  const [time, ...rest] = answers
  if (time === undefined || time[0] !== null) throw time?.[0] ?? new Error('Connection is closed.')
  const nowMs = toMs(time[1] as string[])
  const values = keys.flatMap((redisKey, place): StoredValue[] => {
    const [read, expiry] = [rest[2 * place], rest[2 * place + 1]]
    // Another type under the same prefix is something else; whatever other error there is, it is told.
    const error = read?.[0] ?? expiry?.[0] ?? null
    if (error !== null && !error.message.startsWith('WRONGTYPE')) throw error
    const expiresMs = Number(expiry?.[1])
    if (error !== null || expiresMs === -2) return []
    return [{ redisKey, expiresMs, nowMs, ...toValue(read?.[1], bytesMax) }]
  })
  return { nowMs, values }
}

function toValue(read: unknown, bytesMax: number): { value: RawValue; cut: boolean } {
  if (Buffer.isBuffer(read)) {
    const cut = read.length > bytesMax
    return { value: { kind: 'text', text: cut ? read.subarray(0, bytesMax) : read }, cut }
  }
  const fields = Object.entries(read as Record<string, string>).sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  return { value: { kind: 'hash', fields }, cut: false }
}
