import type { Clock } from '@/lib/core/clock'
import type { RedisConfig } from '../config'
import type { RedisConnection } from '../connection'
import { readServer, readTime, type ServerFacts } from '../server'
import type { KeyPattern } from '../values/key-pattern'
import { type Understood, understandValue } from '../values/rows'
import type { Changes } from './changes'
import { readValues, type StoredValue, stateOfHead, VALUE_BYTES_MAX } from './read-values'

/** Time for others, after a call: injected, so that tests do not wait for it. */
export type Pause = (ms: number) => Promise<void>
export const sleep: Pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A walk through the keyspace, whoever wrote what is found. */
export type Walker = {
  config: Pick<RedisConfig, 'scanCount' | 'pauseFactor' | 'walkEveryMs'>
  pattern: Pick<KeyPattern, 'prefix'>
  clock: Clock
  pause: Pause
  use: RedisConnection['use']
  changes: Changes
  /**
   * The keys in progress among these, or those that have ended since a time, and what is not understood: their first bytes
   * are read, and more of those that are wanted only.
   */
  understand(redisKeys: readonly string[], wanted: Wanted): Promise<[string, Understood][]>
  /** The clock and the state of the server that is read. `behind`: why it may not have everything. */
  look(): Promise<{ nowMs: number; server: ServerFacts; behind: string | null }>
}

export type Reader = Walker & { config: RedisConfig; pattern: KeyPattern }

export type Wanted = { kind: 'live' } | { kind: 'ended'; sinceMs: number | null }

const HEAD_BYTES = 64
/** Of a record that is longer, the ids in its response are not known. */
const RECORD_BYTES_MAX = 64 * 1024

/** `primary` is asked how far a replica must be; absent = what is read is the primary. */
export function createReader(
  parts: Pick<Reader, 'config' | 'pattern' | 'clock' | 'pause' | 'changes'> & {
    connection: RedisConnection
    primary?: RedisConnection
  },
): Reader {
  const { connection, primary, config, pattern } = parts
  const isWanted = (head: StoredValue, wanted: Wanted): boolean => {
    const state = stateOfHead(head, config)
    if (wanted.kind === 'live') return state !== 'ended'
    // Every write sets the time to live anew.
    const isOld =
      wanted.sinceMs !== null && head.expiresMs - config.ttlMs < wanted.sinceMs && head.expiresMs >= 0
    return state !== 'live' && !isOld
  }
  return {
    ...parts,
    use: connection.use,
    understand: (redisKeys, wanted) =>
      connection.use(async (client) => {
        const ours = redisKeys.filter((redisKey) => pattern.parse(redisKey) !== null)
        const heads = await readValues(client, ours, config, HEAD_BYTES)
        const looked = heads.filter((head) => isWanted(head, wanted))
        const of = (head: StoredValue) => stateOfHead(head, config) === 'ended'
        const names = (some: StoredValue[]) => some.map(({ redisKey }) => redisKey)
        const values = [
          ...(await readValues(client, names(looked.filter(of)), config, RECORD_BYTES_MAX)),
          ...(await readValues(client, names(looked.filter((head) => !of(head))), config, VALUE_BYTES_MAX)),
        ]
        return values.flatMap((stored): [string, Understood][] => {
          const understood = understandValue(stored, config, pattern)
          return understood.kind === 'other' ? [] : [[stored.redisKey, understood]]
        })
      }),
    look: () => lookAtServer(connection, primary),
  }
}

export async function lookAtServer(
  connection: RedisConnection,
  primary: RedisConnection | undefined,
): Promise<Awaited<ReturnType<Walker['look']>>> {
  // The primary first: a replica that is as far as this has everything that was written before.
  const wanted = await primary?.use(readServer)
  const { nowMs, server } = await connection.use(async (client) => ({
    nowMs: await readTime(client),
    server: await readServer(client),
  }))
  return { nowMs, server, behind: wanted === undefined ? null : behindText(server, wanted.offset) }
}

function behindText({ linkUp, offset }: ServerFacts, wanted: bigint): string | null {
  if (!linkUp) return 'the replica has lost its primary: what it shows is older'
  return offset < wanted ? `the replica is ${wanted - offset} bytes of writes behind its primary` : null
}
