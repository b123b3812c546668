import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'

/** What is read of a source: where, as a person would say it, and what is made of it. */
export type Reading = { place: Record<string, string>; mapping: string }

export type ReadingChange = {
  /** `pace` = at most its credentials and how fast it is read; `mapping` = the same records, understood otherwise. */
  kind: 'pace' | 'mapping' | 'place'
  /** Of a place that changes. */
  fields: { name: string; before: string | null; after: string | null }[]
}

/** Fields of a secret that open a door and name no place. */
const CREDENTIALS = new Set([
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'readKey',
  'writeKey',
  'password',
  'username',
  'tls',
  'mechanism',
])
/** Fields of a secret that say where its records are, and are shown. No other field ever is. */
const ADDRESSES = new Set(['url', 'region', 'endpoint', 'table', 'brokers', 'topic', 'queue', 'queueUrl'])
/** Other ways to the same records. */
const SAME_RECORDS = new Set(['replicaUrl', 'cacheUrl'])
/** Fields of a configuration that say where records are. */
const PLACES = new Set([
  'schema',
  'table',
  'relation',
  'pattern',
  'prefix',
  'mode',
  'baseUrl',
  'queue',
  'topic',
  'stream',
  'vhost',
])
/** Fields of a configuration that change how it is read or acted on, and nothing that was read. */
const PACE = new Set([
  'statementTimeoutMs',
  'requestTimeoutMs',
  'cacheTimeoutMs',
  'timeoutMs',
  'attemptsMax',
  'requestsPerSecond',
  'poolMax',
  'scan',
  'walkCallMs',
  'walkEveryMs',
  'commandTimeoutMs',
  'scanCount',
  'pauseFactor',
  'overlapMs',
  'release',
  'complete',
  'fail',
  'collect',
  'correction',
  'responses',
  'providerKeyed',
  'zombieSafe',
  'idempotencyWindowMs',
  'consumers',
])

/** Pure. Of a configuration and a secret as their adapter parses them. */
export function readingOf(config: unknown, secret: unknown): Reading {
  const place: Record<string, string> = {}
  const mapping: Record<string, unknown> = {}
  for (const [name, value] of entriesOf(secret)) {
    if (CREDENTIALS.has(name) || SAME_RECORDS.has(name) || value === undefined) continue
    if (ADDRESSES.has(name)) place[name] = withoutCredentials(value)
    else mapping[`secret.${name}`] = value
  }
  for (const [name, value] of entriesOf(config)) {
    if (PACE.has(name) || value === undefined) continue
    if (PLACES.has(name)) place[name] = textOf(value)
    else mapping[name] = value
  }
  return { place, mapping: canonicalJson(mapping) }
}

export function compareReadings(before: Reading, after: Reading): ReadingChange {
  const names = [...new Set([...Object.keys(before.place), ...Object.keys(after.place)])]
  const fields = names.flatMap((name) => {
    const [was, is] = [before.place[name] ?? null, after.place[name] ?? null]
    return was === is ? [] : [{ name, before: was, after: is }]
  })
  if (fields.length > 0) return { kind: 'place', fields }
  return { kind: before.mapping === after.mapping ? 'pace' : 'mapping', fields }
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : []

const relationSchema = z.strictObject({ schema: z.string(), name: z.string() })

/** A relation reads as people write it; all else the same in whatever order the database gives its fields back. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const relation = relationSchema.safeParse(value)
  return relation.success ? `${relation.data.schema}.${relation.data.name}` : canonicalJson(value)
}

/** What drivers read from the query of a URL that leads elsewhere: the driver of PostgreSQL takes these over the URL's own. */
const LEADING = [
  'host',
  'hostaddr',
  'port',
  'database',
  'dbname',
  'db',
  'options',
  'schema',
  'search_path',
  'vhost',
]

/** Server and database of a URL; neither who signs in, nor how the connection is made. */
function withoutCredentials(value: unknown): string {
  const text = textOf(value)
  if (!URL.canParse(text)) return text
  const { protocol, host, pathname, searchParams } = new URL(text)
  // `host:9092` reads as a URL of the scheme `host`.
  if (!text.toLowerCase().startsWith(`${protocol}//`)) return text
  const leading = LEADING.flatMap((name) => searchParams.getAll(name).map((to) => `${name}=${to}`))
  return [`${host}${pathname.replace(/\/$/, '')}`, ...leading].join(' ')
}
