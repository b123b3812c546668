import type pg from 'pg'
import { z } from 'zod'
import { invariant } from '@/lib/core/errors'

const aliasRow = z.object({ alias: z.string(), operation_id: z.coerce.bigint() })
const idRow = z.object({ id: z.coerce.bigint() })

/**
 * The operation of each object: whatever any of its aliases already leads to, else a new one. Objects that share an
 * alias belong together; where known operations turn out to be one, the oldest stays. The caller holds the system's
 * staging lock, so nobody assigns the same alias meanwhile.
 */
export async function assignOperations(
  client: pg.PoolClient,
  system: string,
  now: Date,
  objects: readonly { aliases: readonly string[] }[],
): Promise<bigint[]> {
  const all = [...new Set(objects.flatMap(({ aliases }) => aliases))]
  const known = await knownOperations(client, system, all)
  const groups = group(objects, known)
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
  for (const { members, operations } of groups) {
    const [kept] = operations
    invariant(kept !== undefined, 'every group has an operation')
    for (const member of members) operationOf.set(member, kept)
  }
  return objects.map((_, place) => {
    const id = operationOf.get(place)
    invariant(id !== undefined, 'every object has at least one alias')
    return id
  })
}

type Group = { members: number[]; aliases: string[]; operations: bigint[] }

async function knownOperations(
  client: pg.PoolClient,
  system: string,
  aliases: string[],
): Promise<Map<string, bigint>> {
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
function group(objects: readonly { aliases: readonly string[] }[], known: Map<string, bigint>): Group[] {
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
    for (const alias of aliases) {
      const operation = known.get(alias)
      for (const label of operation === undefined ? [alias] : [alias, `#${operation}`]) {
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
    for (const alias of aliases) {
      found.aliases.add(alias)
      const operation = known.get(alias)
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
      .filter((alias) => !known.has(alias))
      .map((alias) => ({ alias, operation: operations[0]?.toString() })),
  )
  if (fresh.length === 0) return
  await client.query(
    `INSERT INTO mirror.alias (system, alias, operation_id)
     SELECT $1, alias, operation FROM unnest($2::text[], $3::bigint[]) AS fresh(alias, operation)`,
    [system, fresh.map(({ alias }) => alias), fresh.map(({ operation }) => operation)],
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
