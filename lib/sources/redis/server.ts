import type { Redis } from 'ioredis'
import { SourceUnavailableError } from '../contracts'

export type ServerFacts = {
  runId: string
  isReplica: boolean
  /** How far its stream of writes is: a primary's own, or what a replica has of it. */
  offset: bigint
  linkUp: boolean
}

const INFO_LINE = /^([a-z0-9_]+):(.*?)\r?$/gm

/** What INFO says. Throws where it cannot be read as one server of a version that has PEXPIRETIME. */
export async function readServer(client: Redis): Promise<ServerFacts> {
  const text = `${await client.info('server')}\n${await client.info('replication')}`
  const facts = new Map([...text.matchAll(INFO_LINE)].map(([, name = '', value = '']) => [name, value]))
  const version = facts.get('redis_version') ?? '0'
  if (Number.parseInt(version, 10) < 7)
    throw new SourceUnavailableError(
      `Redis ${version} cannot tell when a key expires (PEXPIRETIME): 7.0 or later, or Valkey, is needed`,
      { refused: true },
    )
  if (facts.get('redis_mode') === 'cluster')
    throw new SourceUnavailableError(
      'It is a node of a cluster, which holds a part of the keys only: a cluster cannot be connected',
      { refused: true },
    )
  const isReplica = facts.get('role') === 'slave'
  return {
    runId: facts.get('run_id') ?? '',
    isReplica,
    offset: BigInt(facts.get(isReplica ? 'slave_repl_offset' : 'master_repl_offset') ?? '0'),
    linkUp: !isReplica || facts.get('master_link_status') === 'up',
  }
}

/** The store's clock, in ms. */
export async function readTime(client: Redis): Promise<number> {
  return toMs(await client.time())
}

export const toMs = ([seconds, micros]: readonly (number | string)[]): number =>
  Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
