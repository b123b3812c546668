import type { Aspect } from '@/lib/core/case-classes'
import { formatMoney, type MoneyJson, sumMoneyJson } from '@/lib/core/money'
import type { CaseSides, SideLife, SideObject, SidePosting } from './read-case-sides'

export type SideName = 'intent' | 'ledger' | 'provider'
export const SIDES: readonly SideName[] = ['intent', 'ledger', 'provider']

/** What a side says of a field. */
export type Cell =
  | { kind: 'text'; text: string; strong?: boolean }
  | { kind: 'ids'; ids: string[]; note?: string }
  | { kind: 'times'; at: string[] }
  /** This side does not carry the field. */
  | { kind: 'not_carried' }
  /** It carries it, and has nothing. */
  | { kind: 'nothing' }
  /** There is no such source. */
  | { kind: 'no_source' }

export type FieldRow = {
  field: string
  cells: Record<SideName, Cell>
  /** null = fewer than two sides say something: nothing to compare. */
  agrees: boolean | null
}

const bySide = <T>(of: (side: SideName) => T): Record<SideName, T> => ({
  intent: of('intent'),
  ledger: of('ledger'),
  provider: of('provider'),
})

/** What each side says of the operation, field by field, and whether they say the same. Pure. */
export function compareSides(sides: CaseSides, aspect: Aspect): FieldRow[] {
  const once = aspect === 'uniqueness' || aspect === 'ledger'
  const has = bySide((side) => sides.sources.some(({ kind }) => kind === side))
  const field: MakeField = (name, cells, agrees) => ({
    field: name,
    cells: bySide((side) => (has[side] ? cells[side] : { kind: 'no_source' })),
    agrees,
  })
  const charges = ofKind(sides.provider, 'charge')
  // A refund given back later is told in the state; what is compared is what the case is about.
  const parts = aspect === 'refund' || aspect === 'dispute' ? ofKind(sides.provider, aspect) : []
  const whole = parts.length > 0 ? parts : charges
  // A duplicate charge that was given back whole counts no more: what is left is compared.
  const objects = aspect === 'uniqueness' ? whole.filter((object) => !isGivenBack(object)) : whole
  return [
    keyRow(sides, whole, field),
    stateRow(sides, { objects, whole }, has, once, field),
    amountRow(sides, objects, has, once, field),
    objectRow(sides, objects, has, field),
    referenceRow(sides, whole, field),
    timeRow(sides, whole, field),
  ]
}

type MakeField = (name: string, cells: Record<SideName, Cell>, agrees: boolean | null) => FieldRow

/** Null = fewer than two say something. */
function alike(said: readonly string[][]): boolean | null {
  const [first, ...others] = said
  return first === undefined || others.length === 0 ? null : others.every((ids) => sameSet(first, ids))
}

const ofKind = (objects: readonly SideObject[], kind: SideObject['kind']) =>
  objects.filter((object) => object.kind === kind)

function keyRow(sides: CaseSides, objects: readonly SideObject[], field: MakeField): FieldRow {
  const intent = distinct(sides.intent.map(({ key }) => key))
  const provider = distinct(objects.map(({ key }) => key))
  const note = provider.length === 1 && objects.length > 1 ? `on all ${objects.length}` : undefined
  const both = intent.length > 0 && provider.length > 0
  return field(
    'Key',
    { intent: idsCell(intent), ledger: { kind: 'not_carried' }, provider: idsCell(provider, note) },
    both ? sameSet(intent, provider) && intent.length === 1 : null,
  )
}

const STATE_WORDS: Record<string, string> = {
  leased: 'in progress, never finished',
  retryable: 'retryable',
  unknown: 'unknown',
  completed: 'completed',
  failed_final: 'failed for good',
  gone: 'gone without a record',
}

const isLiveLife = ({ state }: SideLife) => state === 'completed'
const isLivePosting = ({ reversed }: SidePosting) => !reversed
const isGivenBack = ({ amount, refunded }: SideObject): boolean => refunded?.minor === amount.minor
const isLiveObject = ({ status }: SideObject) => status === 'succeeded' || status === 'pending'

function stateRow(
  sides: CaseSides,
  { objects, whole }: { objects: readonly SideObject[]; whole: readonly SideObject[] },
  has: Record<SideName, boolean>,
  once: boolean,
  field: MakeField,
): FieldRow {
  const live = {
    intent: sides.intent.filter(isLiveLife).length,
    ledger: sides.ledger.filter(isLivePosting).length,
    provider: objects.filter(isLiveObject).length,
  }
  const counts = SIDES.filter((side) => has[side]).map((side) => live[side])
  const alike = counts.every((count) => count > 0) || counts.every((count) => count === 0)
  return field(
    'State',
    {
      intent: textCell(sides.intent.map(lifeWords)),
      ledger: textCell(
        tally(sides.ledger, (posting) => (posting.reversed ? 'posting, reversed' : 'posting')),
      ),
      provider: textCell(
        tally(whole, (object) => `${object.kind} ${objectWords(object)}`),
        objects.filter(isLiveObject).length > 1,
      ),
    },
    counts.length < 2 ? null : alike && (!once || counts.every((count) => count <= 1)),
  )
}

const lifeWords = (life: SideLife): string =>
  [STATE_WORDS[life.state] ?? life.state, life.httpStatus === null ? null : `answered ${life.httpStatus}`]
    .filter((part) => part !== null)
    .join(', ')

const objectWords = ({ status, refunded }: SideObject): string =>
  refunded === null ? status : `${status}, ${formatMoney(refunded)} refunded`

function amountRow(
  sides: CaseSides,
  objects: readonly SideObject[],
  has: Record<SideName, boolean>,
  once: boolean,
  field: MakeField,
): FieldRow {
  const intent = sides.intent.flatMap(({ amount }) => amount ?? [])
  const ledger = sides.ledger.filter(isLivePosting).map(({ amount }) => amount)
  const provider = objects.filter(isLiveObject).map(({ amount }) => amount)
  // The store knows the amount only where the SDK recorded its effect.
  const each = { intent, ledger, provider }
  const knows = { ...has, intent: intent.length > 0 }
  const said = SIDES.filter((side) => knows[side]).map((side) => each[side])
  const totals = said.map((amounts) => JSON.stringify(sumMoneyJson(amounts)))
  const twice = once && said.some((amounts) => amounts.length > 1)
  return field(
    'Amount',
    {
      intent: intent.length === 0 && sides.intent.length > 0 ? { kind: 'not_carried' } : amountCell(intent),
      ledger: amountCell(ledger),
      provider: amountCell(provider),
    },
    said.length < 2 ? null : new Set(totals).size === 1 && !twice,
  )
}

/** €89.90 + €89.90 = €179.80 */
function amountCell(amounts: readonly MoneyJson[]): Cell {
  if (amounts.length === 0) return { kind: 'nothing' }
  const parts = amounts.map((amount) => formatMoney(amount))
  const total = sumMoneyJson(amounts)
  const sum =
    amounts.length > 1 && total.length === 1
      ? ` = ${total.map((amount) => formatMoney(amount)).join('')}`
      : ''
  return { kind: 'text', text: parts.join(' + ') + sum, strong: amounts.length > 1 }
}

function objectRow(
  sides: CaseSides,
  objects: readonly SideObject[],
  has: Record<SideName, boolean>,
  field: MakeField,
): FieldRow {
  const provider = distinct(objects.filter(({ status }) => status !== 'absent').map(({ id }) => id))
  const ledger = distinct(sides.ledger.filter(isLivePosting).map(({ providerRef }) => providerRef))
  const known = new Set([...provider, ...ledger])
  const intent = distinct(
    sides.intent.flatMap(({ names, effects }) => [
      ...names.filter((name) => known.has(name)),
      ...effects.flatMap(({ reference }) => reference ?? []),
    ]),
  )
  const each = { intent, ledger, provider }
  const knows = { ...has, intent: has.intent && sides.intent.length > 0 }
  const said = SIDES.filter((side) => knows[side]).map((side) => each[side])
  return field(
    'Object',
    bySide((side) => idsCell(each[side])),
    alike(said),
  )
}

function referenceRow(sides: CaseSides, objects: readonly SideObject[], field: MakeField): FieldRow {
  const each = {
    intent: distinct(sides.intent.map(({ reference }) => reference)),
    ledger: distinct(sides.ledger.map(({ reference }) => reference)),
    provider: distinct(objects.map(({ reference }) => reference)),
  }
  return field(
    'Reference',
    bySide((side) => idsCell(each[side])),
    alike(SIDES.map((side) => each[side]).filter((ids) => ids.length > 0)),
  )
}

/** Clocks and granularities differ: beginnings within a minute of each other are the same. */
const SAME_TIME_MS = 60_000

function timeRow(sides: CaseSides, objects: readonly SideObject[], field: MakeField): FieldRow {
  const each: Record<SideName, string[]> = {
    intent: sides.intent.map(({ acquiredAt }) => acquiredAt),
    ledger: sides.ledger.map(({ bookedAt }) => bookedAt),
    provider: objects.filter(({ status }) => status !== 'absent').map(({ createdAt }) => createdAt),
  }
  const firsts = SIDES.flatMap((side) => each[side].toSorted()[0] ?? []).map((at) => Date.parse(at))
  const cell = (at: string[]): Cell =>
    at.length === 0 ? { kind: 'nothing' } : { kind: 'times', at: distinct(at) }
  return field(
    'Time',
    bySide((side) => cell(each[side])),
    firsts.length < 2 ? null : Math.max(...firsts) - Math.min(...firsts) <= SAME_TIME_MS,
  )
}

const distinct = (values: readonly (string | null)[]): string[] => [
  ...new Set(values.filter((value) => value !== null)),
]
const sameSet = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((value) => right.includes(value))

const idsCell = (ids: string[], note?: string): Cell =>
  ids.length === 0 ? { kind: 'nothing' } : { kind: 'ids', ids, ...(note === undefined ? {} : { note }) }

const textCell = (texts: readonly string[], strong = false): Cell =>
  texts.length === 0
    ? { kind: 'nothing' }
    : { kind: 'text', text: countAlike(texts), ...(strong ? { strong } : {}) }

/** "completed, answered 201" twice reads "2 × completed, answered 201". */
function countAlike(texts: readonly string[]): string {
  return distinct(texts)
    .map((text) => {
      const count = texts.filter((each) => each === text).length
      return count === 1 ? text : `${count} × ${text}`
    })
    .join('; ')
}

/** 1 posting, 2 charges succeeded */
function tally<T>(items: readonly T[], words: (item: T) => string): string[] {
  const texts = items.map(words)
  return distinct(texts).map((text) => {
    const count = texts.filter((each) => each === text).length
    return `${count} ${count === 1 ? text : text.replace(/^(\w+)/, '$1s')}`
  })
}
