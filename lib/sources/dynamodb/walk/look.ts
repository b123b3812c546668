import { z } from 'zod'
import { type Database, placeholders } from '../client/database'
import type { Item } from '../client/value'
import type { Mapping } from '../config'
import type { CapacityBudget } from './budget'

/** A first page tells what an item costs. */
const FIRST_ITEMS = 50
const ITEMS_MAX = 2_000

const itemSchema = z.record(z.string(), z.object({ S: z.string() }))

/** A walk through the whole table, segment by segment, as far as it has come. It can be kept and gone on with. */
export const lookSchema = z.object({
  /** When it began, on DynamoDB's clock. */
  startedAt: z.coerce.date(),
  /** Where each segment goes on; null = at its beginning, `end` = read. */
  places: z.array(z.union([itemSchema, z.null(), z.literal('end')])),
  rounds: z.number(),
  scanned: z.number(),
  units: z.number(),
  /** Finished items past their expiry that TTL has not deleted. */
  expired: z.number(),
})
export type Look = z.infer<typeof lookSchema>

export const beginLook = (startedAt: Date, segments: number): Look => ({
  startedAt,
  places: Array.from({ length: segments }, () => null),
  rounds: 0,
  scanned: 0,
  units: 0,
  expired: 0,
})

export const isWhole = (look: Look): boolean => look.places.every((place) => place === 'end')

type Only = 'all' | 'live'
type Filter = { expression: string; values?: Item }

export type Scanner = {
  database: Database
  table: string
  /** What is read of an item. */
  attributes: readonly string[]
  /** Which items come, in the placeholders of these attributes. */
  filter(only: Only): Filter
  budget: CapacityBudget
  unitsPerSecond: number
}

/** Other items of a table that several things share are none of the library's. */
export function filterOf(mapping: Mapping, attributes: readonly string[], only: Only): Filter {
  const { of } = placeholders(attributes)
  const { state, expiry } = mapping
  if (state.kind === 'finished') return { expression: `attribute_exists(${of(expiry.attribute)})` }
  const there = `attribute_exists(${of(state.attribute)})`
  if (only === 'all') return { expression: there }
  const finished = [...state.completed, ...state.failed]
  const values = Object.fromEntries(finished.map((value, place) => [`:f${place}`, { S: value }]))
  return {
    expression: `${there} AND NOT (${of(state.attribute)} IN (${Object.keys(values).join(', ')}))`,
    values,
  }
}

/**
 * One page of each segment that is not read, at once: no more of each than a second of the budget pays for. Returns the
 * look as it is then; the given one is as it was.
 */
export async function readRound(
  scanner: Scanner,
  look: Look,
  only: Only,
  itemsMax = ITEMS_MAX,
): Promise<{ look: Look; items: Item[] }> {
  const { database, table, attributes, budget, unitsPerSecond } = scanner
  const of = look.places.length
  const open = look.places.filter((place) => place !== 'end').length
  const perItem = look.scanned === 0 ? null : look.units / look.scanned
  const affordable = perItem === null || perItem === 0 ? FIRST_ITEMS : Math.floor(unitsPerSecond / perItem)
  const limit = Math.max(1, Math.min(affordable, Math.floor(Math.min(itemsMax, ITEMS_MAX) / open)))
  const expected = perItem === null ? 1 : perItem * limit
  const pages = await Promise.all(
    look.places.map((place, number) =>
      place === 'end'
        ? null
        : budget.spend(expected, () =>
            database.scan(
              { table, attributes },
              { limit, from: place, segment: { of, number }, filter: scanner.filter(only) },
            ),
          ),
    ),
  )
  const next: Look = { ...look, places: [...look.places], rounds: look.rounds + 1 }
  for (const [number, page] of pages.entries()) {
    if (page === null) continue
    next.places[number] = page.last === null ? 'end' : itemSchema.parse(page.last)
    next.scanned += page.scanned
    next.units += page.units
  }
  return { look: next, items: pages.flatMap((page) => page?.items ?? []) }
}
