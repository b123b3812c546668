import { z } from 'zod'
import type { UserContext } from '@/app/_server/context'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import type { KeyAction } from '@/lib/core/states'
import { env } from '@/lib/env'
import { formatKeyId } from '@/lib/keys/key-id'
import { readLedgerRows } from '@/lib/keys/ledger-rows'
import { tallyLocks } from '@/lib/locks/count-locks'
import { findLock } from '@/lib/locks/find-lock'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { listRuns, type RunView } from '@/lib/runs/read'
import { killSwitchNow, requestNow } from '../_shell/reads'
import { type Query, toFilter } from './query'
import { readFailProposal } from './read-fail-proposal'

export const ROWS_SHOWN = 50
/** A bulk run that ended stays on the page this long. */
const ENDED_RUNS_SHOWN_MS = 15 * 60_000
const BULK_RUNS_SHOWN = 3

export type LockRow = LockView & { keyId: string; sourceName: string }

/** May this person act, and if not, what it takes. */
export type Permit = { environment: string; refusal: string | null }

export async function readLocksPage(ctx: UserContext, query: Query) {
  const now = await requestNow()
  const page = { limit: ROWS_SHOWN, cursor: query.cursor ?? undefined }
  const [listed, tally, sources, runs, opened, permit] = await Promise.all([
    listLocks(ctx.db, toFilter(query), page, now),
    tallyLocks(ctx.db),
    listSources(ctx.db, now),
    readBulkRuns(ctx, now),
    query.lock === null ? null : findLock(ctx.db, query.lock, now),
    readPermit(ctx, 'release'),
  ])
  const toRow = (lock: LockView): LockRow => ({
    ...lock,
    keyId: formatKeyId({ sourceId: lock.source, scope: lock.scope, key: lock.key }),
    sourceName: sources.find(({ id }) => id === lock.source)?.name ?? lock.source,
  })
  return {
    rows: listed.items.map(toRow),
    next: listed.next,
    ...tally,
    sources,
    runs,
    permit,
    open: opened === null ? null : await readOpen(ctx, toRow(opened), sources),
  }
}

export type OpenLock = Awaited<ReturnType<typeof readOpen>>

async function readOpen(ctx: UserContext, lock: LockRow, sources: readonly SourceView[]) {
  const system = sources.find(({ id }) => id === lock.source)?.system
  const hasLedger = sources.some((source) => source.kind === 'ledger' && source.system === system)
  const ledger =
    system === undefined || !hasLedger
      ? null
      : await readLedgerRows(ctx.db, { system, scope: lock.scope, key: lock.key })
  return { lock, ledger, waitingFail: await readFailProposal(ctx, lock) }
}

/** Verbs on keys all need the same role. */
export async function readPermit(ctx: UserContext, verb: KeyAction): Promise<Permit> {
  const { on } = await killSwitchNow()
  const refusal = !roleAllows(ctx.actor.role, `lock.${verb}`)
    ? `Needs the ${leastRoleFor(`lock.${verb}`)} role; yours is ${ctx.actor.role}.`
    : on
      ? 'Writes are switched off.'
      : null
  return { environment: env().IDEMSCOPE_ENVIRONMENT, refusal }
}

const tally = z.number().default(0)
const countsSchema = z.object({
  done: tally,
  refused: tally,
  unknown: tally,
  failed: tally,
  total: z.number().nullable().default(null),
  failures: z.array(z.object({ lockId: z.string(), state: z.string(), reason: z.string() })).default([]),
})
const paramsSchema = z.object({ verb: z.enum(['release', 'complete', 'fail']) })

export type BulkRun = Pick<
  RunView,
  'id' | 'state' | 'progress' | 'error' | 'cancelRequested' | 'requestedBy'
> & {
  createdAt: string
  finishedAt: string | null
  verb: KeyAction
  counts: z.infer<typeof countsSchema>
}

/** Bulk jobs that work now, or ended a moment ago: closing the browser does not hide them. */
async function readBulkRuns(ctx: UserContext, now: Date): Promise<BulkRun[]> {
  const { items } = await listRuns(ctx.db, { kind: ['bulk'] }, { limit: BULK_RUNS_SHOWN })
  const since = new Date(now.getTime() - ENDED_RUNS_SHOWN_MS).toISOString()
  return items
    .filter(({ finishedAt }) => finishedAt === null || finishedAt > since)
    .flatMap((run) => {
      const params = paramsSchema.safeParse(run.params)
      const counts = countsSchema.safeParse(run.counts)
      if (!params.success) return []
      const { id, state, progress, error, cancelRequested, requestedBy, createdAt, finishedAt } = run
      return [
        {
          ...{ id, state, progress, error, cancelRequested, requestedBy, createdAt, finishedAt },
          verb: params.data.verb,
          counts: counts.success ? counts.data : countsSchema.parse({}),
        },
      ]
    })
}
