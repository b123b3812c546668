import { AppError } from '@/lib/core/errors'
import { KEY_STATES, type KeyState } from '@/lib/core/states'

export type KeyFilter = {
  /** The key, exactly. */
  key?: string | undefined
  /** How the key begins. */
  prefix?: string | undefined
  scope?: string | undefined
  source?: string | undefined
  state?: KeyState | undefined
  /** The business reference that its record names. */
  reference?: string | undefined
  /** 32 hex digits: the trace of its last execution. */
  traceId?: string | undefined
  /** The provider's id of what it made: `ch_…`, `re_…`. */
  providerRef?: string | undefined
}

/** Shorter ones match too much to be found in order. */
const PREFIX_LENGTH_MIN = 3

/** What is derived from time is derived at `now`. */
export const stateAt = (now: string): string => `
  CASE WHEN o.status = 'leased' AND o.lease_until <= ${now} THEN 'lease_expired'
       WHEN o.status IN ('completed', 'failed_final') AND o.expires_at <= ${now} THEN 'expired'
       ELSE o.status END`

/** The stored states that a derived state comes from, with its condition: what an index can be asked for. A record always expires. */
const STORED: Record<KeyState, (now: string) => string> = {
  leased: (now) => `o.status = 'leased' AND o.lease_until > ${now}`,
  lease_expired: (now) => `o.status = 'leased' AND o.lease_until <= ${now}`,
  retryable: () => `o.status = 'retryable'`,
  unknown: () => `o.status = 'unknown'`,
  completed: (now) => `o.status = 'completed' AND o.expires_at > ${now}`,
  failed_final: (now) => `o.status = 'failed_final' AND o.expires_at > ${now}`,
  expired: (now) => `o.status IN ('completed', 'failed_final') AND o.expires_at <= ${now}`,
}

/** Conditions of a filter on `mirror.object o`; only those that are asked for, so that each finds its index. */
export function keyConditions(filter: KeyFilter, now: Date) {
  const values: unknown[] = []
  const bind = (value: unknown): string => `$${values.push(value)}`
  const at = `${bind(now)}::timestamptz`
  const conditions = [`o.side = 'intent'`, `o.kind = 'key'`, 'o.gone_at IS NULL', `${at} IS NOT NULL`]
  if (filter.key !== undefined) conditions.push(`o.key = ${bind(filter.key)}`)
  if (filter.prefix !== undefined) conditions.push(`o.key LIKE ${bind(likePrefix(filter.prefix))}`)
  if (filter.scope !== undefined) conditions.push(`o.scope = ${bind(filter.scope)}`)
  if (filter.source !== undefined) conditions.push(`o.source_id = ${bind(filter.source)}`)
  if (filter.reference !== undefined) conditions.push(`o.reference = ${bind(filter.reference)}`)
  if (filter.traceId !== undefined)
    conditions.push(`o.data->>'traceId' = ${bind(filter.traceId.toLowerCase())}`)
  if (filter.providerRef !== undefined) conditions.push(`o.provider_ref = ${bind(filter.providerRef)}`)
  if (filter.state !== undefined) conditions.push(STORED[filter.state](at))
  return { sql: conditions.join(' AND '), values, bind, now: at }
}

/**
 * What the conditions are asked of. A search for one thing is carried out before it is ordered or counted: the planner
 * takes a trace id for one row in two hundred, and would rather read all of them in order.
 */
export function keysOf(filter: KeyFilter, conditions: string): { with: string; from: string; where: string } {
  const exact = [filter.key, filter.reference, filter.traceId, filter.providerRef].some(
    (each) => each !== undefined,
  )
  if (!exact) return { with: '', from: 'mirror.object o', where: conditions }
  const found = `WITH found AS MATERIALIZED (SELECT o.* FROM mirror.object o WHERE ${conditions})`
  return { with: found, from: 'found o', where: 'true' }
}

/** Conditions for every state, for facets: one for each stored state, which an index then leads to in its order. */
export const stateConditions = (now: string): [KeyState, string[]][] =>
  KEY_STATES.map((state) => [
    state,
    state === 'expired'
      ? ['completed', 'failed_final'].map((status) => `o.status = '${status}' AND o.expires_at <= ${now}`)
      : [STORED[state](now)],
  ])

function likePrefix(prefix: string): string {
  if (prefix.length < PREFIX_LENGTH_MIN)
    throw new AppError('invalid', `A prefix has at least ${PREFIX_LENGTH_MIN} characters.`)
  return `${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`
}
