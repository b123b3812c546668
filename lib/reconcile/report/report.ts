import { z } from 'zod'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { CASE_CLASS_NAMES } from '@/lib/core/case-classes'
import { csvText } from '@/lib/core/csv'
import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'
import { getRun, type RunView } from '@/lib/runs/read'

/** A report is of one run, or of one day (UTC). */
export type ReportSubject = { kind: 'run'; id: string } | { kind: 'day'; day: string }
export type Report = { name: string; contentType: string; chunks: AsyncIterable<string> }

/** So many lines are in memory at once. */
const PAGE = 500
const DAY_MS = 86_400_000

const HEADER = [
  'at',
  'event',
  'actor',
  'case_id',
  'class',
  'severity',
  'outcome',
  'lifecycle',
  'scope',
  'key',
  'effect_ids',
  'reference',
  'amount_minor',
  'currency',
  'action_id',
  'run_id',
  'evidence_hash',
] as const

const lineRow = z.object({
  id: z.coerce.bigint(),
  at: z.date(),
  event: z.string(),
  actor: z.string(),
  case_id: z.string(),
  class: z.enum(CASE_CLASS_NAMES),
  severity: z.string(),
  outcome: z.string(),
  lifecycle: z.string(),
  scope: z.string().nullable(),
  key: z.string().nullable(),
  effect_ids: z.array(z.string()),
  reference: z.string().nullable(),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
  action_id: z.string().nullable(),
  run_id: z.string().nullable(),
  evidence_hash: z.string(),
})
type Line = z.infer<typeof lineRow>

/** Whatever happened to cases in a span of time, in its order; of one run where $3 names it. $4, $5: after. */
const LINES = `
  SELECT e.id, e.at, e.kind AS event, e.actor, c.id AS case_id, c.class, c.severity, c.outcome, c.lifecycle, c.scope,
    c.key, c.effect_ids, c.reference, c.amount_minor::text AS amount_minor, c.currency,
    e.data->>'actionId' AS action_id, e.data->>'runId' AS run_id, c.evidence_hash
  FROM case_event e JOIN reconciliation_case c ON c.id = e.case_id
  WHERE e.at >= $1 AND e.at < $2 AND ($3::text IS NULL OR e.data->>'runId' = $3) AND (e.at, e.id) > ($4, $5)
  ORDER BY e.at, e.id LIMIT ${PAGE}`

/**
 * What a run or a day did to cases, as a file made while it is sent. That somebody took it is audited before its first
 * line. Throws `not_found` for a run that is none, `conflict` for one that has not ended.
 */
export async function reconciliationReport(
  ctx: Context,
  subject: ReportSubject,
  format: 'csv' | 'json',
): Promise<Report> {
  authorise(ctx, 'view')
  const head = subject.kind === 'run' ? await endedRun(ctx.db, subject.id) : dayHead(subject.day)
  await ctx.db.prisma.auditEntry.create({
    data: auditRow(ctx, {
      verb: 'reconciliation.report',
      subject: subject.kind === 'run' ? subject.id : subject.day,
      outcome: 'done',
      after: { format, kind: subject.kind },
    }),
  })
  const lines = linesOf(ctx.db, head.from, head.to, subject.kind === 'run' ? subject.id : null)
  const name = `reconciliation-${subject.kind === 'run' ? subject.id : subject.day}.${format}`
  return format === 'csv'
    ? { name, contentType: 'text/csv; charset=utf-8', chunks: asCsv(lines) }
    : { name, contentType: 'application/json', chunks: asJson(head.about, lines) }
}

type Head = { from: Date; to: Date; about: Record<string, unknown> }

async function endedRun(db: Db, id: string): Promise<Head> {
  const run: RunView = await getRun(db, id)
  if (run.kind !== 'reconciliation') throw new AppError('not_found', `${id} is no reconciliation.`)
  if (run.startedAt === null || run.finishedAt === null) {
    throw new AppError('conflict', `${id} has not ended yet.`)
  }
  return {
    from: new Date(run.startedAt),
    to: new Date(new Date(run.finishedAt).getTime() + 1),
    about: { run },
  }
}

function dayHead(day: string): Head {
  const from = new Date(`${day}T00:00:00Z`)
  return { from, to: new Date(from.getTime() + DAY_MS), about: { day } }
}

async function* linesOf(db: Db, from: Date, to: Date, runId: string | null): AsyncGenerator<Line[]> {
  let after: { at: Date; id: bigint } = { at: new Date(0), id: 0n }
  for (;;) {
    const { rows } = await db.pool.query(LINES, [from, to, runId, after.at, after.id])
    const lines = rows.map((row) => lineRow.parse(row))
    const last = lines.at(-1)
    if (last === undefined) return
    yield lines
    after = last
  }
}

async function* asCsv(pages: AsyncIterable<Line[]>): AsyncGenerator<string> {
  yield csvText(HEADER, [])
  for await (const lines of pages) {
    const fields = (line: Line) =>
      HEADER.map((name) => {
        if (name === 'at') return line.at.toISOString().replace('Z', '+00:00')
        return name === 'effect_ids' ? line.effect_ids.join(' ') : line[name]
      })
    // The header went before them.
    yield csvText([], lines.map(fields)).replace(/^\r\n/, '')
  }
}

async function* asJson(about: Record<string, unknown>, pages: AsyncIterable<Line[]>): AsyncGenerator<string> {
  const opened = JSON.stringify(about).slice(0, -1)
  yield `${opened},"lines":[`
  let first = true
  for await (const lines of pages) {
    const text = lines
      .map(({ id: _, amount_minor: minor, currency, ...line }) =>
        JSON.stringify({ ...line, amount: minor === null || currency === null ? null : { minor, currency } }),
      )
      .join(',')
    yield first ? text : `,${text}`
    first = false
  }
  yield ']}'
}
