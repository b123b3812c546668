import { StoreUnavailableError } from '../../errors'
import type { RedisPort } from './client'
import { asStoreError } from './unavailable'

/** What a primary said of itself. */
export type RedisServerFacts = {
  /** Another one after a restart or a failover. */
  runId: string
  version: string
  role: string
  evictionPolicy: string
  /** `off` = no append-only file; `aof` = how often it is synced may not be asked. */
  persistence: 'off' | 'aof' | 'aof always' | 'aof everysec' | 'aof no'
  /** Of the last write of the append-only file. */
  persistenceFails: boolean
  replicas: number
  /** Replicas without which it refuses writes; null = none is demanded. */
  replicasDemanded: boolean
}

/** Null = this user may not ask, or the server does not tell (a managed service). */
export async function readServerFacts(port: RedisPort): Promise<RedisServerFacts[] | null> {
  try {
    const infos = await port.sendToAll(['INFO', 'server', 'memory', 'persistence', 'replication'])
    if (infos.length === 0) throw new StoreUnavailableError('no primary of the cluster is known yet')
    const synced = await port.sendToAll(['CONFIG', 'GET', 'appendfsync']).catch(asRefused)
    const facts = infos.map((info, at) => toFacts(String(info), synced?.[at] ?? null))
    return facts.every(({ runId, evictionPolicy }) => runId !== '' && evictionPolicy !== '') ? facts : null
  } catch (error) {
    return asRefused(error)
  }
}

/** NOPERM: the user's rights; ERR: renamed, or not there. */
function asRefused(error: unknown): null {
  if (error instanceof Error && /^(NOPERM|ERR) /.test(error.message)) return null
  throw asStoreError(error)
}

function toFacts(info: string, fsync: unknown): RedisServerFacts {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const how = fsyncOf(fsync)
  return {
    runId: field('run_id'),
    version: field('redis_version'),
    role: field('role'),
    evictionPolicy: field('maxmemory_policy'),
    persistence: field('aof_enabled') !== '1' ? 'off' : how === null ? 'aof' : `aof ${how}`,
    persistenceFails: field('aof_last_write_status') === 'err',
    replicas: Number(field('connected_slaves')),
    replicasDemanded: field('min_slaves_good_slaves') !== '',
  }
}

/** `[name, value]`, or a map of RESP 3. */
function fsyncOf(reply: unknown): 'always' | 'everysec' | 'no' | null {
  const flat = Array.isArray(reply)
    ? reply
    : reply instanceof Map
      ? [...reply.entries()].flat()
      : Object.entries(reply ?? {}).flat()
  const value = String(flat[1])
  return value === 'always' || value === 'everysec' || value === 'no' ? value : null
}
