import { z } from 'zod'
import { ownsAudit } from '@/lib/audit/owner'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import { readProcesses } from '@/lib/runs/processes'
import { MIGRATIONS } from './migrations'
import type { Services } from './services'

type Part = { ok: boolean; detail: string; phase?: string }
type Readiness = { ready: boolean; parts: Record<string, Part> }

/** Shorter than the probes' own patience, so that they hear which part it is. */
const DATABASE_TIMEOUT_MS = 2_500
const TRAFFIC_PHASES = ['traffic-began', 'traffic-ended']

const MISSING = `
  SELECT count(*)::int AS missing FROM unnest($1::text[]) m(name)
  WHERE NOT EXISTS (SELECT FROM _prisma_migrations p
                    WHERE p.migration_name = m.name AND p.finished_at IS NOT NULL AND p.rolled_back_at IS NULL)`

/** Whether the console can do its work. Sources never matter here: they are other people's. */
export async function readReadiness(app: Services): Promise<Readiness> {
  const database = await databasePart(app)
  if (!database.ok) return { ready: false, parts: { database } }
  const processes = (await readProcesses(app.db, app.clock)).filter(({ fresh }) => fresh)
  const parts: Record<string, Part> = {
    database,
    receiver: alive(processes, 'receiver', 'accepts'),
    worker: alive(processes, 'worker', 'polls'),
    audit: await auditPart(app),
    ...(app.settings.IDEMSCOPE_DEMO ? { demo: demoPart(processes) } : {}),
  }
  return { ready: Object.values(parts).every((part) => part.ok), parts }
}

async function databasePart({ db }: Services): Promise<Part> {
  const query = db.pool.query<{ missing: number }>(MISSING, [MIGRATIONS])
  // Not waited for when it is slow; its failure must not count as unhandled then.
  query.catch(() => undefined)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error('timeout')), DATABASE_TIMEOUT_MS)
  })
  try {
    const { rows } = await Promise.race([query, late])
    const missing = rows[0]?.missing ?? MIGRATIONS.length
    if (missing === 0) return { ok: true, detail: 'migrated' }
    return { ok: false, detail: `${missing} migrations are missing: run npm run migrate` }
  } catch (error) {
    // There is no _prisma_migrations. Other reasons may name hosts and users, and this answer is public.
    const unmigrated = sqlStateOf(error) === SQLSTATE.undefinedTable
    return { ok: false, detail: unmigrated ? 'not migrated: run npm run migrate' : 'not reachable' }
  } finally {
    clearTimeout(timer)
  }
}

/** A warning, and no reason to be taken out of service. */
async function auditPart({ db, settings }: Services): Promise<Part> {
  const warnings = [
    ...((await ownsAudit(db)) ? ['the role that the console connects as owns its tables'] : []),
    ...(settings.IDEMSCOPE_AUDIT_KEY.length === 0
      ? ['IDEMSCOPE_AUDIT_KEY is not set: its head is not signed']
      : []),
  ]
  if (warnings.length === 0) return { ok: true, detail: 'signed, and owned by nobody who signs in' }
  return { ok: true, detail: `warning: ${warnings.join('; ')}. See docs/guides/operating.md` }
}

type Process = Awaited<ReturnType<typeof readProcesses>>[number]

const troubleDetail = z.object({ trouble: z.string() })

/** One of several that can do its work is enough. */
function alive(processes: readonly Process[], kind: string, detail: string): Part {
  const troubles = processes
    .filter((process) => process.kind === kind)
    .map((process) => troubleDetail.safeParse(process.detail).data?.trouble)
  if (troubles.length === 0) return { ok: false, detail: 'no sign of life within 15 s' }
  const [trouble] = troubles
  return trouble === undefined || troubles.includes(undefined)
    ? { ok: true, detail }
    : { ok: false, detail: trouble }
}

const demoDetail = z.object({ phase: z.string() })

/** The demo is ready once its traffic began, and stays so when it has ended. */
function demoPart(processes: readonly Process[]): Part {
  const process = processes.find(({ kind }) => kind === 'demo')
  const phase = demoDetail.safeParse(process?.detail).data?.phase ?? 'starting'
  return { ok: TRAFFIC_PHASES.includes(phase), detail: phase, phase }
}
