import type pg from 'pg'
import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { caseClass } from '@/lib/core/case-classes'
import { AppError } from '@/lib/core/errors'
import type { ReconciliationVerdict } from '@/lib/core/states'
import { readWatermark } from '@/lib/mirror/watermark'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import type { TimeRange } from '@/lib/sources/contracts'
import { listSystems, openSystem } from '@/lib/sources/registry'
import { type Persisted, persist } from './cases/persist'
import { rehomeCases } from './cases/rehome'
import { classifyAll } from './classify/read/classify-all'
import type { FailedSource } from './classify/read/look-up'
import { match } from './match/match'
import type { MatchScope } from './match/match-scope'
import { type SystemCounts, summarise, verdictOf } from './report/summary'
import { type ReconcileSettings, reconcileSettings } from './settings'
import { stagingContext } from './stage/assist'
import { stageSystem } from './stage/stage'
import { stageTarget, type Target } from './stage/stage-target'

export const reconcileParamsSchema = z
  .object({
    /** Only the systems of these sources. */
    sources: z.array(z.string()).min(1).optional(),
    system: z.string().optional(),
    from: z.iso.datetime().optional(),
    to: z.iso.datetime().optional(),
    /** One key, or one order, instead of a window. */
    scope: z.string().optional(),
    key: z.string().optional(),
    reference: z.string().optional(),
  })
  .refine(({ scope, key }) => (scope === undefined) === (key === undefined), {
    error: 'scope and key go together',
  })
  .refine(
    ({ from, key, reference }) => [from, key, reference].filter((each) => each !== undefined).length <= 1,
    {
      error: 'a window, a key or a reference',
    },
  )
  .refine(({ from, to }) => (from === undefined) === (to === undefined) && (from ?? '') <= (to ?? ''), {
    error: 'from and to go together, from before to',
  })
export type ReconcileParams = z.infer<typeof reconcileParamsSchema>

const PHASES = ['stage', 'match', 'classify', 'persist', 'done'] as const
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
  watermark: z.object({ from: z.coerce.bigint(), to: z.coerce.bigint() }).nullable(),
  /** Of a run about one key or order: the operations that it looks at. */
  only: z.array(z.coerce.bigint()).nullable().default(null),
  matched: z.object({ compared: z.number(), matched: z.number() }).nullable(),
  counts: z.record(z.string(), z.unknown()).nullable(),
})
type Progress = z.infer<typeof progressSchema>
const checkpointSchema = z.object({ systems: z.record(z.string(), progressSchema).default({}) })
type Checkpoint = z.infer<typeof checkpointSchema>

const START: Progress = {
  phase: 'stage',
  stage: null,
  watermark: null,
  only: null,
  matched: null,
  counts: null,
}

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
  for (const table of WORK_TABLES) {
    await ctx.db.pool.query(`DELETE FROM mirror.${table} WHERE run_id = $1`, [handle.id])
  }
  return {
    outcome: worst(finished.map(verdictOf)),
    counts: Object.fromEntries(finished.map((c) => [c.system, c])),
  }
}

const WORK_TABLES = ['unmatched', 'candidate', 'finding'] as const

/** What a run that failed or was cancelled left behind. */
async function forgetEndedRuns(ctx: SystemContext): Promise<void> {
  for (const table of WORK_TABLES) {
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

type SystemRun = {
  ctx: SystemContext
  handle: RunHandle
  params: ReconcileParams
  settings: ReconcileSettings
  system: string
  progress: Progress
  /** Notes a phase's end in the run's checkpoint, in the transaction of its result where there is one. */
  save(next: Partial<Progress>, client?: pg.PoolClient): Promise<void>
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
  const run: SystemRun = {
    ctx,
    handle,
    params,
    settings,
    system,
    progress,
    async save(next, client) {
      const systems = { ...checkpoint.systems, [system]: { ...progress, ...next } }
      await handle.report({ checkpoint: { systems } }, client)
      Object.assign(progress, next)
      checkpoint.systems[system] = progress
    },
  }
  if (progress.phase === 'stage') await stage(run)
  const staged = progress.stage
  if (staged === null) throw new Error('a run past its staging has its outcome')
  const stagedRun = { id: handle.id, system, stage: staged }
  const staging = stagingContext(ctx, handle, system)
  if (progress.phase === 'match') {
    await match(staging, stagedRun, scopeOf(run, staged.asOf), (matched, client) =>
      run.save({ phase: 'classify', matched }, client),
    )
  }
  if (progress.phase === 'classify') {
    const failed = await classifyAll(staging, stagedRun, await openSystem(ctx, system), settings)
    await run.save({ phase: 'persist', stage: await withFailures(handle, staged, failed) })
  }
  if (progress.phase === 'persist') await writeCases(run, progress.stage ?? staged)
  const counts =
    progress.counts ??
    (await summarise(ctx.db, handle.id, system, staged, progress.matched, progress.watermark === null))
  return { ...counts } as SystemCounts
}

/** A source that does not answer by id makes its side incomplete, as one that cannot be staged does. */
async function withFailures(
  handle: RunHandle,
  staged: NonNullable<Progress['stage']>,
  failed: readonly FailedSource[],
): Promise<NonNullable<Progress['stage']>> {
  const sides = { ...staged.sides }
  const failures = [...staged.failures]
  for (const { side, ...failure } of failed) {
    sides[side] = 'incomplete'
    if (failures.some(({ sourceId }) => sourceId === failure.sourceId)) continue
    failures.push(failure)
    await handle.log('warn', `${failure.name}: ${failure.message}`, failure)
  }
  return { ...staged, sides, failures }
}

const windowOf = ({ from, to }: ReconcileParams): TimeRange | undefined =>
  from === undefined || to === undefined ? undefined : { from: new Date(from), to: new Date(to) }

const targetOf = ({ scope, key, reference }: ReconcileParams): Target | null => {
  if (reference !== undefined) return { reference }
  return scope === undefined || key === undefined ? null : { scope, key }
}

async function stage({ ctx, handle, params, settings, system, save }: SystemRun): Promise<void> {
  // Every batch is fenced: a worker that lost the run writes nothing more.
  const staging = stagingContext(ctx, handle, system)
  const target = targetOf(params)
  if (target !== null) {
    const { operations, ...staged } = await stageTarget(staging, system, target, settings)
    await rehomeCases(ctx.db, system, ctx.clock.now())
    return save({ phase: 'match', stage: staged, only: operations })
  }
  const window = windowOf(params)
  const staged = await stageSystem(staging, system, { window, settings })
  for (const failure of staged.failures) {
    await handle.log('warn', `${failure.name}: ${failure.message}`, failure)
  }
  await rehomeCases(ctx.db, system, ctx.clock.now())
  const watermark = window === undefined ? await readWatermark(ctx.db, system) : null
  await save({ phase: 'match', stage: staged, watermark })
}

function scopeOf({ params, progress }: SystemRun, asOf: Date): MatchScope {
  if (progress.only !== null) return { kind: 'operations', ids: progress.only }
  if (progress.watermark !== null) return { kind: 'watermark', watermark: progress.watermark }
  return { kind: 'window', window: windowOf(params) ?? { from: asOf, to: asOf } }
}

async function writeCases(run: SystemRun, staged: NonNullable<Progress['stage']>): Promise<void> {
  const { ctx, handle, settings, system, progress, save } = run
  const counts = await summarise(
    ctx.db,
    handle.id,
    system,
    staged,
    progress.matched,
    progress.watermark === null,
  )
  const persistCtx = { ...ctx, inBatch: (client: pg.PoolClient) => save({ phase: 'done' }, client) }
  const persisted: Persisted | null = handle.dryRun
    ? null
    : await persist(persistCtx, {
        id: handle.id,
        system,
        asOf: staged.asOf,
        incomplete: Object.values(staged.sides).includes('incomplete'),
        floodCap: settings.floodCap,
        watermark: progress.watermark,
        only: progress.only,
      })
  for (const flood of persisted?.floods ?? []) {
    const level = caseClass(flood.class).severity === 'P1' ? 'error' : 'warn'
    await handle.log(level, `case flood of ${flood.class}: ${flood.wouldOpen} would open`, { ...flood })
  }
  await save({ phase: 'done', counts: { ...counts, ...persisted } })
}

const RANK: Record<ReconciliationVerdict, number> = {
  reconciled: 0,
  with_pending: 1,
  with_warnings: 2,
  breaks: 3,
  incomplete: 4,
}

/** Of no system at all nothing is proved. */
const worst = (verdicts: readonly ReconciliationVerdict[]): ReconciliationVerdict =>
  verdicts.toSorted((a, b) => RANK[b] - RANK[a])[0] ?? 'incomplete'
