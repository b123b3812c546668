import type pg from 'pg'
import { z } from 'zod'
import { invariant } from '@/lib/core/errors'
import { alias } from './object'
import { type PlacedRow, setOperations, unassignedBy } from './read/unassigned'

const aliasRow = z.object({ alias: z.string(), operation_id: z.coerce.bigint() })
const idRow = z.object({ id: z.coerce.bigint() })

/** What is to be placed: an object of a batch, or a row that is in the mirror already. */
export type Member = {
  aliases: readonly string[]
  /** It needs an operation even where nothing leads to a known one. */
  eager: boolean
  row?: { sourceId: string; objectId: string }
}

/**
 * The operation of each member: whatever any of its aliases already leads to, else a new one for those that need one,
 * else null. What shares an alias belongs together, rows in the mirror included; where known operations turn out to be
 * one, the oldest stays. The caller holds the system's staging lock, so nobody assigns the same alias meanwhile.
 */
export async function assignOperations(
  client: pg.PoolClient,
  system: string,
  now: Date,
  given: readonly Member[],
): Promise<{ operations: (bigint | null)[]; placed: PlacedRow[] }> {
  const members = [...given]
  const { groups, known } = await connect(client, system, members)
  const fresh = groups.filter(({ operations }) => operations.length === 0)
  const ids = await nextOperations(client, fresh.length)
  fresh.forEach((each, place) => {
    const id = ids[place]
    invariant(id !== undefined, 'the sequence gave as many ids as asked for')
    each.operations.push(id)
  })
  for (const each of groups) each.operations.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  await insertAliases(client, system, groups, known)
  for (const { operations } of groups) {
    const [kept, ...merged] = operations
    if (kept !== undefined && merged.length > 0) await merge(client, system, now, kept, merged)
  }
  const operationOf = new Map<number, bigint>()
  for (const group of groups) {
    const [kept] = group.operations
    invariant(kept !== undefined, 'every group has an operation')
    for (const member of group.members) operationOf.set(member, kept)
  }
  const placed = await setOperations(
    client,
    members.flatMap(({ row }, place) => {
      const operation = operationOf.get(place)
      return row === undefined || operation === undefined ? [] : [{ ...row, operation }]
    }),
  )
  return { operations: given.map((_, place) => operationOf.get(place) ?? null), placed }
}

/** Follows aliases from the members that need an operation to rows that have none, until nothing new is found. */
async function connect(
  client: pg.PoolClient,
  system: string,
  members: Member[],
): Promise<{ groups: Group[]; known: Map<string, bigint> }> {
  const known = new Map<string, bigint>()
  const asked = new Set<string>()
  const followed = new Set<string>()
  const placed = new Set<string>()
  for (;;) {
    const news = [...new Set(members.flatMap(({ aliases }) => aliases))].filter((each) => !asked.has(each))
    for (const each of news) asked.add(each)
    for (const [found, operation] of await knownOperations(client, system, news)) known.set(found, operation)
    const groups = group(members, known).filter(
      (each) => each.operations.length > 0 || each.members.some((place) => members[place]?.eager),
    )
    const ahead = groups.flatMap(({ aliases }) =>
      aliases.filter((each) => !known.has(each) && !followed.has(each)),
    )
    if (ahead.length === 0) return { groups, known }
    for (const each of ahead) followed.add(each)
    for (const { aliases, ...row } of await unassignedBy(client, system, ahead)) {
      const id = alias.object(row.sourceId, row.objectId)
      if (placed.has(id)) continue
      placed.add(id)
      members.push({ aliases, eager: false, row })
    }
  }
}

type Group = { members: number[]; aliases: string[]; operations: bigint[] }

async function knownOperations(
  client: pg.PoolClient,
  system: string,
  aliases: string[],
): Promise<Map<string, bigint>> {
  if (aliases.length === 0) return new Map()
  const { rows } = await client.query(
    'SELECT alias, operation_id FROM mirror.alias WHERE system = $1 AND alias = ANY ($2)',
    [system, aliases],
  )
  return new Map(
    rows.map((raw) => {
      const row = aliasRow.parse(raw)
      return [row.alias, row.operation_id]
    }),
  )
}

/** Connected components over shared aliases and over operations already known (union–find with path halving). */
function group(objects: readonly Member[], known: Map<string, bigint>): Group[] {
  const parents = objects.map((_, place) => place)
  const root = (place: number): number => {
    let at = place
    while (parents[at] !== at) {
      parents[at] = parents[parents[at] ?? at] ?? at
      at = parents[at] ?? at
    }
    return at
  }
  const first = new Map<string, number>()
  objects.forEach(({ aliases }, place) => {
    for (const each of aliases) {
      const operation = known.get(each)
      for (const label of operation === undefined ? [each] : [each, `#${operation}`]) {
        const other = first.get(label)
        if (other === undefined) first.set(label, place)
        else parents[root(place)] = root(other)
      }
    }
  })
  const groups = new Map<number, { members: number[]; aliases: Set<string>; operations: Set<bigint> }>()
  objects.forEach(({ aliases }, place) => {
    const at = root(place)
    const found = groups.get(at) ?? { members: [], aliases: new Set<string>(), operations: new Set<bigint>() }
    groups.set(at, found)
    found.members.push(place)
    for (const each of aliases) {
      found.aliases.add(each)
      const operation = known.get(each)
      if (operation !== undefined) found.operations.add(operation)
    }
  })
  return [...groups.values()].map(({ members, aliases, operations }) => ({
    members,
    aliases: [...aliases],
    operations: [...operations],
  }))
}

async function nextOperations(client: pg.PoolClient, count: number): Promise<bigint[]> {
  if (count === 0) return []
  const { rows } = await client.query(
    `SELECT nextval('mirror.operation') AS id FROM generate_series(1, $1)`,
    [count],
  )
  return rows.map((row) => idRow.parse(row).id)
}

async function insertAliases(
  client: pg.PoolClient,
  system: string,
  groups: readonly Group[],
  known: Map<string, bigint>,
): Promise<void> {
  const fresh = groups.flatMap(({ aliases, operations }) =>
    aliases
      .filter((each) => !known.has(each))
      .map((each) => ({ alias: each, operation: operations[0]?.toString() })),
  )
  if (fresh.length === 0) return
  await client.query(
    `INSERT INTO mirror.alias (system, alias, operation_id)
     SELECT $1, alias, operation FROM unnest($2::text[], $3::bigint[]) AS fresh(alias, operation)`,
    [system, fresh.map((each) => each.alias), fresh.map(({ operation }) => operation)],
  )
}

/** The younger operations become the oldest one. What moves gets a new number: it has to be compared again. */
async function merge(
  client: pg.PoolClient,
  system: string,
  now: Date,
  kept: bigint,
  merged: readonly bigint[],
): Promise<void> {
  const values = [system, kept, merged]
  await client.query(
    `UPDATE mirror.object SET operation_id = $2, seq = nextval('mirror.seq')
     WHERE system = $1 AND operation_id = ANY ($3::bigint[])`,
    values,
  )
  await client.query(
    'UPDATE mirror.alias SET operation_id = $2 WHERE system = $1 AND operation_id = ANY ($3::bigint[])',
    values,
  )
  await client.query(
    'UPDATE mirror.merge SET kept_id = $2 WHERE system = $1 AND kept_id = ANY ($3::bigint[])',
    values,
  )
  await client.query(
    `INSERT INTO mirror.merge (system, kept_id, merged_id, at)
     SELECT $1, $2, merged, $4 FROM unnest($3::bigint[]) AS merged
     ON CONFLICT (system, merged_id) DO UPDATE SET kept_id = excluded.kept_id`,
    [...values, now],
  )
}
