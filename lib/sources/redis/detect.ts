import type { Redis } from 'ioredis'
import { META } from '@/sdk/stores/redis/layout'
import type { DetectedLayout } from '../contracts'
import { memberOf } from '../native-redis/member'
import { type Library, type RedisSecret, redisConfigSchema } from './config'
import { openConnection } from './connection'
import { readServer } from './server'
import { NotUnderstoodError, parse, readValue } from './values/read-value'

const COMMAND_TIMEOUT_MS = 5_000
/** So many keys are looked at, from the beginning of a walk. */
const LOOKED_KEYS = 2_000
const SCAN_COUNT = 200
const VALUE_BYTES = 64 * 1024
/** More functions than this are one layout. */
const CALLERS_MAX = 10

/** The most telling first: a value that two of them understand is the first one's. */
const TELLING: readonly Library[] = ['express-idempotency', 'powertools', 'node-idempotency', 'mapped']
const NAMES: Record<Library, string> = {
  powertools: 'AWS Powertools (cache)',
  'node-idempotency': '@node-idempotency',
  'express-idempotency': 'express-idempotency',
  mapped: 'SET NX recipe',
}

/** Looks through a sample of a Redis for the records of known libraries, by the shape of their values. Changes nothing. */
export async function detectRedis(secret: RedisSecret): Promise<DetectedLayout[]> {
  const url = secret.replicaUrl ?? secret.url
  const connection = openConnection(url, { name: 'idemscope-detect', commandTimeoutMs: COMMAND_TIMEOUT_MS })
  try {
    return await connection.use(async (client) => {
      await readServer(client)
      const size = await client.dbsize()
      const { looked, found, own } = await look(client)
      const share = looked === 0 ? 0 : Math.max(1, size / looked)
      const isOwn = (await client.exists(META.layout)) === 1
      const others = group(found).map(({ library, pattern, keys }) => ({
        adapter: 'redis',
        library: NAMES[library],
        place: pattern,
        config: { library, pattern },
        rowsEstimate: Math.round(keys * share),
      }))
      return isOwn ? [{ ...OWN, rowsEstimate: Math.round(own * share) }, ...others] : others
    })
  } finally {
    connection.close()
  }
}

const OWN = { adapter: 'native-redis', library: 'Idemscope SDK', place: 'idem:*', config: {} }

type Found = { redisKey: string; library: Library }

/** `own`: keys of the SDK's own store, which says what it is. */
async function look(client: Redis): Promise<{ looked: number; found: Found[]; own: number }> {
  const found: Found[] = []
  let looked = 0
  let own = 0
  let cursor = '0'
  do {
    const [next, redisKeys] = await client.scan(cursor, 'COUNT', SCAN_COUNT)
    cursor = next
    looked += redisKeys.length
    own += redisKeys.filter((redisKey) => memberOf(redisKey) !== null).length
    const step = client.pipeline()
    for (const redisKey of redisKeys) step.getrange(redisKey, 0, VALUE_BYTES - 1)
    const values = (await step.exec()) ?? []
    for (const [place, redisKey] of redisKeys.entries()) {
      const library = libraryOf(redisKey, String(values[place]?.[1] ?? ''))
      if (library !== null) found.push({ redisKey, library })
    }
  } while (cursor !== '0' && looked < LOOKED_KEYS)
  return { looked, found, own }
}

/** Pure: which library wrote a key; null = none that we know. */
export function libraryOf(redisKey: string, value: string): Library | null {
  return TELLING.find((library) => fits(library, redisKey, value)) ?? null
}

function fits(library: Library, redisKey: string, text: string): boolean {
  // Words as general as `done` are a recipe's only beside nothing else: those that name a library come first.
  if (library === 'node-idempotency' && nodePrefix(redisKey) === null) return false
  try {
    const value = { kind: 'text', text: Buffer.from(text) } as const
    readValue(value, redisConfigSchema.parse({ library }))
    return library !== 'mapped' || !('request' in parse(value))
  } catch (error) {
    if (error instanceof NotUnderstoodError) return false
    throw error
  }
}

const nodePrefix = (redisKey: string): string | null =>
  /^(.*?):(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|undefined):\//.exec(redisKey)?.[1] ?? null

type Group = { library: Library; pattern: string; keys: number }

function group(found: readonly Found[]): Group[] {
  const callers = new Set(
    found.filter(({ library }) => library === 'powertools').map(({ redisKey }) => redisKey.split('#')[0]),
  )
  const groups = new Map<string, Group>()
  for (const { redisKey, library } of found) {
    const pattern = patternOf(library, redisKey, callers.size <= CALLERS_MAX)
    const key = `${library} ${pattern}`
    groups.set(key, { library, pattern, keys: (groups.get(key)?.keys ?? 0) + 1 })
  }
  return [...groups.values()].sort((a, b) => b.keys - a.keys)
}

function patternOf(library: Library, redisKey: string, byCaller: boolean): string {
  const literal = (text: string): string => text.replaceAll(/[{}]/g, '')
  switch (library) {
    case 'powertools':
      return byCaller ? `${literal(redisKey.slice(0, redisKey.indexOf('#')))}#{key}` : '{caller}#{key}'
    case 'node-idempotency':
      return `${literal(nodePrefix(redisKey) ?? '')}:{method}:{route}:{key}`
    case 'express-idempotency':
      return '{key}'
    case 'mapped':
      return `${literal(redisKey.slice(0, redisKey.lastIndexOf(':') + 1))}{key}`
    default:
      return library satisfies never
  }
}
