import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { isUnchanged } from '@/sdk/stores/dynamodb/change'
import { type Update, updateInput } from '@/sdk/stores/dynamodb/database'
import { bytes, microsOf, ms, num, type Path, text } from '@/sdk/stores/dynamodb/expression'
import { type KeyItem, type StepItem, writeStep } from '@/sdk/stores/dynamodb/item'
import { keyItemOf, PART_BYTES, TTL_ATTRIBUTE, ttlOf } from '@/sdk/stores/dynamodb/layout'
import { LIVE } from '@/sdk/stores/dynamodb/settle'
import {
  nothingChanged,
  type OperateOptions,
  type SeenLease,
  type SettledEffect,
  SourceUnavailableError,
  type StoredResponse,
  type StoreOutcome,
} from '../contracts'
import { isDead } from '../dynamodb/operate'
import { refusalOf } from '../native/refusal'
import { readKey, readNow, readNowAs } from './read'
import { isLive, toLease } from './rows'
import { type OwnTable, readTiers } from './store'

type Change = Omit<Update, 'when'>
type Decide = (item: KeyItem, now: Date) => Promise<Change> | Change

/** Kept, with its steps, as retryable. Its nonce stays: an acquire that is sent again and comes late is not let in. */
export const release = (table: OwnTable, seen: SeenLease, options: OperateOptions): Promise<StoreOutcome> =>
  change(table, seen, options, (item, now) => ({
    set: [
      ['s', text('R')],
      ['f', num(nextFence(item, now))],
      ['u', ms(now.getTime())],
      ['o', text(`idemscope:${options.actionId}`)],
    ],
  }))

/** As the SDK's own completion, under a new fence: a late completion of the old holder is not told that it is its own. */
export const end = (
  table: OwnTable,
  seen: SeenLease,
  options: OperateOptions & { response: StoredResponse; settled?: readonly SettledEffect[] },
  state: 'completed' | 'failed_final',
): Promise<StoreOutcome> =>
  change(table, seen, options, async (item, now) => {
    const { status, headers, body } = options.response
    const ttlMs = (await readTiers(table)).get(item.tier)
    if (ttlMs === undefined)
      throw refused(`The table does not say how long its tier ${item.tier} keeps a record`)
    const raw = Buffer.from(body, 'utf8')
    if (raw.byteLength > PART_BYTES) throw refused(`A response from here has ${PART_BYTES} bytes at most`)
    const expiresMs = now.getTime() + ttlMs
    const pairs = Object.entries(headers)
    const set: [Path, AttributeValue][] = [
      ['s', text(state === 'completed' ? 'C' : 'F')],
      ['f', num(nextFence(item, now))],
      ['q', num(status)],
      ['x', num(expiresMs)],
      [TTL_ATTRIBUTE, num(ttlOf(expiresMs))],
      ['steps', { M: effectsOf(item, options.settled ?? [], now) }],
      ...(pairs.length === 0 ? [] : ([['d', text(JSON.stringify(pairs))]] as [Path, AttributeValue][])),
      ...(raw.byteLength === 0 ? [] : ([['b', bytes(raw)]] as [Path, AttributeValue][])),
    ]
    return { set, remove: LIVE }
  })

const refused = (message: string) => new SourceUnavailableError(message, { refused: true })

const nextFence = ({ fence }: KeyItem, now: Date): bigint => {
  const lowest = microsOf(now.getTime())
  return fence >= lowest ? fence + 1n : lowest
}

/** What the record keeps: effects without their results, which no attempt comes any more to read. */
function effectsOf(
  { steps }: KeyItem,
  settled: readonly SettledEffect[],
  now: Date,
): Record<string, AttributeValue> {
  const kept = [...steps].filter(([, { kind }]) => kind !== 'checkpoint')
  return Object.fromEntries(
    kept.map(([name, step]) => {
      const said = settled.find((each) => each.step === name)
      const known: StepItem =
        said === undefined
          ? step
          : {
              ...step,
              state: 'C',
              reference: said.reference,
              amountMinor: said.amountMinor ?? step.amountMinor,
              currency: said.currency ?? step.currency,
              settledMicros: microsOf(now.getTime()),
            }
      return [name, writeStep({ ...known, result: null })]
    }),
  )
}

/**
 * Read, compared, and changed on condition that no write came since: whoever compares `f` and `v` has compared everything.
 * The lease is judged by DynamoDB's clock with the margin that a takeover keeps, so a release is never earlier than one.
 */
async function change(
  table: OwnTable,
  seen: SeenLease,
  options: OperateOptions,
  decide: Decide,
): Promise<StoreOutcome> {
  const { now, row, lease } = await readLease(table, seen).catch(nothingChanged)
  if (
    row === null ||
    lease === null ||
    lease.seen.rowVersion !== seen.rowVersion ||
    !isDead(lease, now, options)
  )
    return refusalOf(seen, options, { now, lease })
  const decided = await Promise.resolve(decide(row.item, now)).catch(nothingChanged)
  const update = updateInput(table.config.table, keyItemOf(seen), { ...decided, when: isUnchanged(row.item) })
  if (await table.database.update(update)) return { kind: 'done', now }
  return refusalOf(seen, options, await readKey(table, seen))
}

async function readLease(table: OwnTable, seen: SeenLease) {
  const { now, row } = await readNow(table, seen)
  if (row === null || !isLive(row)) return { now, row, lease: null }
  const tiers = await readTiers(table)
  return { now, row, lease: readNowAs(row, now, () => toLease(row, now, tiers)) }
}
