import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { ReconciliationVerdict } from '@/lib/core/states'
import { inTransaction } from '@/lib/db'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { readCut } from '@/lib/sources/mirror/cut'
import { listSystems, openSystem } from '@/lib/sources/registry'
import type { StageContext } from './batch'
import { judge } from './judge'
import { match } from './match'
import { type Persisted, persist } from './persist'
import { rehomeCases } from './rehome'
import { type ReconcileSettings, reconcileSettings } from './settings'
import { stageSystem } from './stage'
import { type SystemCounts, summarise, verdictOf } from './summary'

export const reconcileParamsSchema = z
  .object({
    /** Only the systems of these sources. */
    sources: z.array(z.string()).min(1).optional(),
    system: z.string().optional(),
    from: z.iso.datetime().optional(),
    to: z.iso.datetime().optional(),
  })
  .refine(({ from, to }) => (from === undefined) === (to === undefined) && (from ?? '') <= (to ?? ''), {
    error: 'from and to go together, from before to',
  })
export type ReconcileParams = z.infer<typeof reconcileParamsSchema>

const PHASES = ['stage', 'match', 'judge', 'persist', 'done'] as const
const sideState = z.enum(['complete', 'incomplete', 'none'])
const progressSchema = z.object({
  phase: z.enum(PHASES),
  stage: z
    .object({
      asOf: z.coerce.date(),
      sides: z.object({ intent: sideState, ledger: sideState, provider: sideState }),
      failures: z.array(z.object({ sourceId: z.string(), name: z.string(), message: z.string() })),
      read: z.number(),
    })
    .nullable(),
  cut: z.object({ from: z.coerce.bigint(), to: z.coerce.bigint() }).nullable(),
  matched: z.object({ compared: z.number(), matched: z.number() }).nullable(),
  counts: z.record(z.string(), z.unknown()).nullable(),
})
type Progress = z.infer<typeof progressSchema>
const checkpointSchema = z.object({ systems: z.record(z.string(), progressSchema).default({}) })
type Checkpoint = z.infer<typeof checkpointSchema>

const START: Progress = { phase: 'stage', stage: null, cut: null, matched: null, counts: null }

/**
 * Stages, cuts, matches, looks up, classifies and writes cases, system by system. Each phase commits with its
 * checkpoint; a run that is taken over goes on behind the last one, with the same result as an undisturbed run.
 */
export async function reconcile(
  ctx: SystemContext,
  handle: RunHandle,
  rawParams: unknown,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<RunResult> {
  const params = reconcileParamsSchema.parse(rawParams ?? {})
  const checkpoint = checkpointSchema.parse(handle.checkpoint ?? {})
  const systems = await chooseSystems(ctx, params)
  await forgetEndedRuns(ctx)
  const finished: SystemCounts[] = []
  for (const [place, system] of systems.entries()) {
    const counts = await reconcileSystem(ctx, handle, params, settings, checkpoint, system)
    finished.push(counts)
    await handle.report({ progress: (place + 1) / systems.length, counts: { [system]: counts } })
  }
  for (const table of ['candidate', 'finding']) {
    await ctx.db.pool.query(`DELETE FROM mirror.${table} WHERE run_id = $1`, [handle.id])
  }
  return {
    outcome: worst(finished.map(verdictOf)),
    counts: Object.fromEntries(finished.map((c) => [c.system, c])),
  }
}

/** What a run that failed or was cancelled left behind. */
async function forgetEndedRuns(ctx: SystemContext): Promise<void> {
  for (const table of ['candidate', 'finding']) {
    await ctx.db.pool.query(
      `DELETE FROM mirror.${table} w USING run r
       WHERE r.id = w.run_id AND r.state IN ('done', 'failed', 'cancelled')`,
    )
  }
}

async function chooseSystems(ctx: SystemContext, params: ReconcileParams): Promise<string[]> {
  const all = await listSystems(ctx)
  if (params.sources === undefined) {
    return params.system === undefined ? all : all.filter((system) => system === params.system)
  }
  const rows = await ctx.db.prisma.source.findMany({
    where: { id: { in: params.sources } },
    select: { id: true, system: true },
  })
  const missing = params.sources.filter((id) => !rows.some((row) => row.id === id))
  if (missing.length > 0) throw new AppError('not_found', `There is no source ${missing.join(', ')}.`)
  const wanted = new Set(rows.map(({ system }) => system))
  return all.filter((system) => wanted.has(system))
}

async function reconcileSystem(
  ctx: SystemContext,
  handle: RunHandle,
  params: ReconcileParams,
  settings: ReconcileSettings,
  checkpoint: Checkpoint,
  system: string,
): Promise<SystemCounts> {
  const progress: Progress = checkpoint.systems[system] ?? { ...START }
  const save = async (next: Partial<Progress>, client?: Parameters<RunHandle['report']>[1]) => {
    const systems = { ...checkpoint.systems, [system]: { ...progress, ...next } }
    await handle.report({ checkpoint: { systems } }, client)
    Object.assign(progress, next)
    checkpoint.systems[system] = progress
  }
  // Every batch is fenced: a worker that lost the run writes nothing more.
  const staging: StageContext = { ...ctx, inBatch: (client) => handle.report({}, client) }
  const window =
    params.from === undefined || params.to === undefined
      ? undefined
      : { from: new Date(params.from), to: new Date(params.to) }

  if (progress.phase === 'stage') {
    const stage = await stageSystem(staging, system, { window, settings })
    for (const failure of stage.failures)
      await handle.log('warn', `${failure.name}: ${failure.message}`, failure)
    await rehomeCases(ctx.db, system, ctx.clock.now())
    await save({ phase: 'match', stage, cut: window === undefined ? await readCut(ctx.db, system) : null })
  }
  const { stage, cut } = progress
  if (stage === null) throw new Error('a run past its staging has its outcome')
  const run = { id: handle.id, system, stage }
  if (progress.phase === 'match') {
    const scope =
      window === undefined && cut !== null
        ? { cut }
        : { window: window ?? { from: stage.asOf, to: stage.asOf } }
    await inTransaction(ctx.db.pool, async (client) => {
      const matched = await match(client, { id: handle.id, system, asOf: stage.asOf }, scope)
      await save({ phase: 'judge', matched }, client)
    })
  }
  if (progress.phase === 'judge') {
    await judge(staging, run, await openSystem(ctx, system), settings)
    await save({ phase: 'persist' })
  }
  if (progress.phase === 'persist') {
    const counts = await summarise(ctx.db, handle.id, system, stage, progress.matched)
    const incomplete = Object.values(stage.sides).includes('incomplete')
    const persistCtx = {
      ...ctx,
      inBatch: (client: Parameters<RunHandle['report']>[1]) => save({ phase: 'done' }, client),
    }
    const persisted: Persisted | null = handle.dryRun
      ? null
      : await persist(persistCtx, {
          id: handle.id,
          system,
          asOf: stage.asOf,
          incomplete,
          floodCap: settings.floodCap,
          cut,
        })
    if (persisted?.flooded) await handle.log('error', 'case flood: no case was opened', { ...counts })
    await save({ phase: 'done', counts: { ...counts, ...persisted } })
  }
  return {
    ...(progress.counts ?? (await summarise(ctx.db, handle.id, system, stage, progress.matched))),
  } as SystemCounts
}

const RANK: Record<ReconciliationVerdict, number> = {
  reconciled: 0,
  with_pending: 1,
  with_warnings: 2,
  breaks: 3,
  incomplete: 4,
}

const worst = (verdicts: readonly ReconciliationVerdict[]): ReconciliationVerdict =>
  verdicts.reduce((a, b) => (RANK[b] > RANK[a] ? b : a), 'reconciled' as ReconciliationVerdict)
