import { randomUUID } from 'node:crypto'
import { IdempotencyOptionsError } from '../../errors'
import type { HoldRow } from '../hold-keeper'
import {
  demandHoldWords,
  HOLD_LASTS_MS_DEFAULT,
  HOLD_LASTS_MS_MAX,
  HOLDS_IN_FORCE_MAX,
  type HoldPlaced,
  type HoldPlacing,
  type HoldTarget,
} from '../hold-placing'
import type { Item, TableDatabase } from './database'
import { all, createExpression, is, isAbove, isAbsent, ms, num, text } from './expression'
import { HOLD_PARTITION, type ItemKey, SCOPE_PARTITION, TTL_ATTRIBUTE } from './layout'

/** A hold that has ended stays to be read for so long; the console's audit keeps it for good. */
const KEPT_MS = 7 * 86_400_000

const TARGETS: ReadonlySet<string> = new Set(['route', 'caller', 'step', 'scope', 'key'])

/** What is in force now: one query of one partition. */
export async function readHolds(db: TableDatabase): Promise<HoldRow[]> {
  const nowMs = db.nowMs()
  return (await queryInForce(db, nowMs)).map((item) => ({
    kind: item.k?.S as HoldRow['kind'],
    route: item.route?.S ?? null,
    caller: item.caller?.S ?? null,
    step: item.step?.S ?? null,
    scope: item.scope?.S ?? null,
    key: item.key?.S ?? null,
    leftMs: leftOf(item, nowMs),
  }))
}

/** Whoever placed it had another clock: no more than the whole of it is left. */
function leftOf({ at, ends }: Item, nowMs: number): number {
  const endsMs = Number(ends?.N ?? 0)
  return Math.min(endsMs - nowMs, endsMs - Number(at?.N ?? 0))
}

function queryInForce(db: TableDatabase, nowMs: number): Promise<Item[]> {
  const e = createExpression()
  return db.query({
    KeyConditionExpression: is('pk', text(HOLD_PARTITION))(e),
    FilterExpression: all(isAbove('ends', ms(nowMs)), isAbsent('lifted'))(e),
    ExpressionAttributeNames: e.names,
    ExpressionAttributeValues: e.values,
    ConsistentRead: true,
  })
}

export async function placeHold(
  db: TableDatabase,
  hold: HoldPlacing,
): Promise<{ id: string; said: HoldPlaced }> {
  const id = hold.id ?? randomUUID()
  demandHoldWords(id, hold.reason, hold.by)
  demandTarget(hold)
  return { id, said: await place(db, { pk: HOLD_PARTITION, sk: id }, hold) }
}

async function place(db: TableDatabase, key: ItemKey, hold: HoldPlacing): Promise<HoldPlaced> {
  const before = await db.get(key)
  if (before !== null) return isSame(before, hold) ? 'placed' : 'id_used'
  const fault = await findFault(db, hold)
  if (fault !== null) return fault
  const nowMs = db.nowMs()
  const endsMs = nowMs + (hold.lastsMs ?? HOLD_LASTS_MS_DEFAULT)
  const written = await db.update(key, {
    when: isAbsent('pk'),
    set: [
      ['k', text(hold.kind)],
      ...targetsOf(hold).map(([name, value]) => [name, text(value)] as const),
      ['reason', text(hold.reason)],
      ['by', text(hold.by)],
      ['at', ms(nowMs)],
      ['ends', ms(endsMs)],
      [TTL_ATTRIBUTE, num(Math.ceil((endsMs + KEPT_MS) / 1000))],
    ],
  })
  if (written.done) return 'placed'
  return written.item !== null && isSame(written.item, hold) ? 'placed' : 'id_used'
}

export async function liftHold(
  db: TableDatabase,
  id: string,
  reason: string,
  by: string,
): Promise<'lifted' | 'ended' | 'unknown'> {
  demandHoldWords(id, reason, by)
  const key = { pk: HOLD_PARTITION, sk: id }
  if ((await db.get(key)) === null) return 'unknown'
  const nowMs = db.nowMs()
  const written = await db.update(key, {
    when: all(isAbove('ends', ms(nowMs)), isAbsent('lifted')),
    set: [
      ['lifted', ms(nowMs)],
      ['liftedBy', text(by)],
      ['liftReason', text(reason)],
    ],
  })
  if (written.done) return 'lifted'
  // Said again after a lost reply, it is this one's own lifting.
  const own = written.item?.liftedBy?.S === by && written.item.liftReason?.S === reason
  return written.repeated && own ? 'lifted' : 'ended'
}

async function findFault(
  db: TableDatabase,
  hold: HoldPlacing,
): Promise<Exclude<HoldPlaced, 'placed' | 'id_used'> | null> {
  const lastsMs = hold.lastsMs ?? HOLD_LASTS_MS_DEFAULT
  if (!(lastsMs > 0)) return 'past'
  if (lastsMs > HOLD_LASTS_MS_MAX) return 'too_long'
  const { route, caller, scope } = Object.fromEntries(targetsOf(hold))
  if (scope !== undefined && (await db.get({ pk: SCOPE_PARTITION, sk: scope })) === null)
    return 'unknown_scope'
  if (route !== undefined || caller !== undefined) {
    const scopes = await readScopes(db)
    if (route !== undefined && !scopes.some((name) => name.slice(name.indexOf('/') + 1) === route))
      return 'unknown_route'
    if (caller !== undefined && !scopes.some((name) => name.startsWith(`${caller}/`))) return 'unknown_caller'
  }
  return (await queryInForce(db, db.nowMs())).length >= HOLDS_IN_FORCE_MAX ? 'too_many' : null
}

async function readScopes(db: TableDatabase): Promise<string[]> {
  const e = createExpression()
  const items = await db.query({
    KeyConditionExpression: is('pk', text(SCOPE_PARTITION))(e),
    ExpressionAttributeNames: e.names,
    ExpressionAttributeValues: e.values,
    ConsistentRead: true,
  })
  return items.map((item) => item.sk?.S ?? '')
}

const targetsOf = (hold: HoldPlacing): [string, string][] =>
  Object.entries(hold).filter(([name, value]) => TARGETS.has(name) && value !== undefined) as [
    string,
    string,
  ][]

const isSame = (item: Item, hold: HoldPlacing): boolean =>
  item.k?.S === hold.kind &&
  item.reason?.S === hold.reason &&
  [...TARGETS].every((name) => item[name]?.S === new Map(targetsOf(hold)).get(name))

/** What each kind is on; a step may be on one route only. */
const NEEDS: Record<HoldTarget['kind'], string[]> = {
  store: [],
  route: ['route'],
  caller: ['caller'],
  step: ['step'],
  key: ['scope', 'key'],
}

function demandTarget(hold: HoldPlacing): void {
  const needs = NEEDS[hold.kind] ?? []
  const given = targetsOf(hold)
    .map(([name]) => name)
    .filter((name) => hold.kind !== 'step' || name !== 'route')
  if (needs.length !== given.length || !needs.every((name) => given.includes(name)))
    throw new IdempotencyOptionsError([
      `a hold of kind ${hold.kind} names ${needs.join(' and ') || 'nothing'}, and nothing else`,
    ])
}
