import type pg from 'pg'
import { z } from 'zod'
import { type Finding, writeConditions } from '@/lib/conditions/write-conditions'
import { CASE_CLASS_NAMES, caseClass } from '@/lib/core/case-classes'

/** More new breaks of one class from one source than the cap: a broken mapping, or a client, is one incident. */
export type Flood = {
  class: (typeof CASE_CLASS_NAMES)[number]
  /** '' = the evidence names no source. */
  source: string
  wouldOpen: number
  /** How many of them are opened all the same, the largest amounts first: of a P1 class what the cap has left. */
  room: number
  examples: string[]
}

/**
 * Where a finding's evidence comes from, as SQL: what is booked from the ledger, everything else from the provider, and
 * what has neither from the store. `row`: a finding or a case.
 */
export const sourceOf = (row: string): string => `
  coalesce(CASE WHEN ${row}.aspect IN ('value', 'ledger') THEN ${row}.evidence #>> '{sides,ledger,0,source}' END,
    ${row}.evidence #>> '{sides,provider,0,source}', ${row}.evidence #>> '{sides,ledger,0,source}',
    ${row}.evidence #>> '{sides,intent,0,source}', ${row}.evidence #>> '{provider,0,source}',
    ${row}.evidence #>> '{ledger,0,source}', '')`

/** The largest amount first, so that what the cap cuts off is the least. */
export const BY_RISK = 'amount_minor DESC NULLS LAST, break_id'

const EXAMPLES_MAX = 5

const floodRow = z.object({
  class: z.enum(CASE_CLASS_NAMES),
  source: z.string(),
  would_open: z.coerce.number(),
  already_open: z.coerce.number(),
  examples: z.array(z.string()),
})

/** What this run would open beyond the cap, by class and source. One's noise counts against no other. */
export async function readFloods(
  client: pg.PoolClient,
  run: { id: string; system: string; floodCap: number },
): Promise<Flood[]> {
  // A flood lasts as long as what was opened since it began and what is new are together above the cap.
  const { rows } = await client.query(
    `WITH fresh AS (
       SELECT f.*, ${sourceOf('f')} AS source FROM mirror.finding f
       WHERE f.run_id = $1 AND f.system = $2 AND f.outcome = 'break'
         AND NOT EXISTS (SELECT FROM reconciliation_case c WHERE c.break_id = f.break_id)
     ), kind AS (
       SELECT class, source, count(*) AS would_open,
         (array_agg(coalesce(reference, key, object_id) ORDER BY ${BY_RISK}))[1:${EXAMPLES_MAX}] AS examples
       FROM fresh GROUP BY class, source
     )
     SELECT kind.*, open.already_open FROM kind CROSS JOIN LATERAL (
       SELECT count(*) AS already_open FROM condition n JOIN reconciliation_case c ON c.first_seen >= n.since
       WHERE n.kind = 'case_flood' AND n.subject = $2 || '/' || kind.class || '/' || kind.source
         AND n.state = 'firing' AND c.system = $2 AND c.class = kind.class AND c.lifecycle <> 'resolved'
         AND ${sourceOf('c')} = kind.source) AS open
     WHERE would_open + already_open > $3 ORDER BY would_open DESC, class, source`,
    [run.id, run.system, run.floodCap],
  )
  return rows.map((raw) => {
    const { would_open, already_open, ...row } = floodRow.parse(raw)
    const isUrgent = caseClass(row.class).severity === 'P1'
    const room = isUrgent ? Math.max(0, run.floodCap - already_open) : 0
    return { ...row, wouldOpen: would_open, room }
  })
}

/** One condition for each flood. Those of the system that are over are cleared where `clears`: the run saw everything. */
export async function writeFloods(
  client: pg.PoolClient,
  run: { id: string; system: string; floodCap: number },
  floods: readonly Flood[],
  { now, clears }: { now: Date; clears: boolean },
): Promise<void> {
  const { rows } = await client.query<{ id: string; name: string }>(
    'SELECT id, name FROM source WHERE id = ANY ($1)',
    [floods.map(({ source }) => source)],
  )
  const names = new Map(rows.map(({ id, name }) => [id, name]))
  const findings = floods.map((flood) => toFinding(run, flood, names.get(flood.source)))
  const kinds = clears ? (['case_flood'] as const) : []
  await writeConditions(client, now, { kinds, of: run.system, lastWriteHolds: true }, findings)
}

function toFinding(
  run: { id: string; system: string; floodCap: number },
  { class: name, source, wouldOpen, room, examples }: Flood,
  sourceName: string | undefined,
): Finding {
  const { title, severity } = caseClass(name)
  return {
    kind: 'case_flood',
    subject: `${run.system}/${name}/${source}`,
    // What clients alone can cause, however much of it, waits for the morning.
    severity: severity === 'P3' || severity === 'warn' ? 'ticket' : 'page',
    detail: {
      name: `${run.system}: ${title}${sourceName === undefined ? '' : ` from ${sourceName}`}`,
      system: run.system,
      class: name,
      source,
      severity,
      wouldOpen,
      opened: Math.min(room, wouldOpen),
      cap: run.floodCap,
      examples,
      runId: run.id,
    },
  }
}
