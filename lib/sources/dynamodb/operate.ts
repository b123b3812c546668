import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { z } from 'zod'
import {
  type LeaseRow,
  nothingChanged,
  type OperateOptions,
  type SeenLease,
  type StoredResponse,
  type StoreOutcome,
  type StoreRefusal,
} from '../contracts'
import { placeholders } from './client/database'
import type { Item } from './client/value'
import type { Assignments } from './config'
import { responseAttributes } from './item/response'
import { readKey } from './read-key'
import type { Store } from './store'

export type DynamoVerb = 'release' | 'complete' | 'fail'

const value = z.union([
  z.strictObject({ S: z.string() }),
  z.strictObject({ N: z.string() }),
  z.strictObject({ NULL: z.boolean() }),
])
const comparedSchema = z.array(z.tuple([z.string(), value.nullable()]))

/** Read, compared, and changed under the condition of everything that was seen. Nothing is ever deleted. */
export async function change(
  store: Store,
  verb: DynamoVerb,
  seen: SeenLease,
  options: OperateOptions & { response?: StoredResponse },
): Promise<StoreOutcome> {
  const { lease, now } = await readKey(store, seen.scope, seen.key).catch(nothingChanged)
  const refused = (reason: StoreRefusal): StoreOutcome => ({ kind: 'refused', reason, now, current: lease })
  const place = store.identity.placeOf(seen)
  if (lease === null || place === null) return refused('gone')
  const reason = differenceOf(lease, seen) ?? (isDead(lease, now, options) ? null : 'holder_alive')
  if (reason !== null) return refused(reason)
  const written: Written = {
    ...assign(store.mapping[verb]?.set ?? {}, now),
    ...(options.response === undefined ? {} : responseAttributes(store.mapping, options.response)),
  }
  if (await store.database.update(updateOf(store, place, seen.rowVersion ?? '[]', written)))
    return { kind: 'done', now }
  const after = await readKey(store, seen.scope, seen.key)
  return {
    kind: 'refused',
    reason: after.lease === null ? 'gone' : (differenceOf(after.lease, seen) ?? 'state_changed'),
    now: after.now,
    current: after.lease,
  }
}

function differenceOf(lease: LeaseRow, seen: SeenLease): StoreRefusal | null {
  if (lease.seen.rowVersion === seen.rowVersion) return null
  return lease.seen.fence === seen.fence ? 'state_changed' : 'fence_changed'
}

/** By DynamoDB's clock. A key without a lease is never: nothing in the store tells. */
export function isDead(lease: LeaseRow, now: Date, { graceMs, aheadMs }: OperateOptions): boolean {
  if (lease.state !== 'leased') return true
  if (lease.leaseless === true) return false
  const passed = lease.leaseUntil.getTime() + graceMs <= now.getTime()
  const latestMs = Math.max(lease.createdAt.getTime(), lease.heartbeatAt.getTime())
  return passed || (aheadMs !== undefined && latestMs - aheadMs > now.getTime())
}

/** null = the attribute is removed. */
type Written = Record<string, AttributeValue | null>

function assign(set: Assignments, now: Date): Written {
  return Object.fromEntries(
    Object.entries(set).map(([attribute, value]): [string, AttributeValue | null] => {
      if (value === null) return [attribute, null]
      if (typeof value === 'string') return [attribute, { S: value }]
      if (typeof value === 'number') return [attribute, { N: String(value) }]
      const atMs = now.getTime() + value.afterMs
      if (value.nowAs === 'iso') return [attribute, { S: new Date(atMs).toISOString() }]
      return [attribute, { N: String(value.nowAs === 's' ? Math.round(atMs / 1_000) : atMs) }]
    }),
  )
}

function updateOf(store: Store, place: Item, rowVersion: string, written: Written) {
  const compared = comparedSchema.parse(JSON.parse(rowVersion))
  const { names, of } = placeholders([
    ...new Set([...Object.keys(place), ...compared.map(([name]) => name), ...Object.keys(written)]),
  ])
  const values: Item = {}
  const bind = (value: AttributeValue): string => {
    const name = `:v${Object.keys(values).length}`
    values[name] = value
    return name
  }
  // The item must be there: an update of one that is not makes it.
  const there = Object.keys(place).map((name) => `attribute_exists(${of(name)})`)
  const conditions = compared.map(([name, value]) =>
    value === null ? `attribute_not_exists(${of(name)})` : `${of(name)} = ${bind(value as AttributeValue)}`,
  )
  const sets = Object.entries(written).flatMap(([name, value]) =>
    value === null ? [] : [`${of(name)} = ${bind(value)}`],
  )
  const removes = Object.entries(written).flatMap(([name, value]) => (value === null ? [of(name)] : []))
  return {
    TableName: store.config.table,
    Key: place,
    ConditionExpression: [...there, ...conditions].join(' AND '),
    UpdateExpression: [
      ...(sets.length === 0 ? [] : [`SET ${sets.join(', ')}`]),
      ...(removes.length === 0 ? [] : [`REMOVE ${removes.join(', ')}`]),
    ].join(' '),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  }
}
