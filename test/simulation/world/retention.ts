import { newId } from '@/lib/core/ids'
import { collect } from '@/lib/retention/collect'
import { PACE } from '@/lib/retention/collect-rows'
import { approvePolicy } from '@/lib/retention/policy/approve-policy'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { claimRun } from '@/lib/runs/claim'
import { finishRun } from '@/lib/runs/finish'
import { startRun } from '@/lib/runs/start'
import type { Account } from '../environment/accounts'
import type { World } from './world'

/** Agreed on as it is, with an exception in words, or there from before there was a floor. */
export type PolicyHow = 'plain' | 'excepted' | 'old'
export type Policy = {
  store: 'rides' | 'store'
  ttlS: number
  how: PolicyHow
  by: Account
  agreedBy: Account
}

const EXCEPTION = 'Nobody sends these keys again: their client gives up.'

/** One person proposes how long keys are kept, and another one agrees. */
export async function setPolicy(world: World, { store, ttlS, how, by, agreedBy }: Policy): Promise<void> {
  const source = world.env.sources[store]
  const ctx = world.as(by)
  const ttlMs = store === 'rides' ? ttlS * 1000 : null
  if (how === 'old') {
    const at = ctx.clock.now()
    const data = {
      ttlMs: ttlMs === null ? null : BigInt(ttlMs),
      safetyMs: 0n,
      archive: false,
      actionId: 'act_old',
    }
    const where = { sourceId_tier_endpoint: { sourceId: source, tier: '', endpoint: '' } }
    const create = { id: newId('pol'), sourceId: source, endpoint: '', createdAt: at, updatedAt: at, ...data }
    await ctx.db.prisma.retentionPolicy.upsert({ where, create, update: {} })
    return
  }
  const action = await proposePolicy(ctx, {
    ...{ source, ttlMs, safetyMs: 0, archive: false, reason: 'the table grows' },
    ...(how === 'excepted' && ttlMs !== null ? { exception: EXCEPTION } : {}),
  })
  const approval = { actionId: action.id, evidenceHash: action.evidenceHash ?? '' }
  if (how === 'excepted') world.excepted = true
  const agreed = await approvePolicy(world.as(agreedBy), approval)
  world.notes.push(`${store} keeps keys for ${ttlS} s: ${agreed.state}`)
}

/** A collection, as a worker carries it out. */
export async function collectNow(world: World, store: Policy['store']): Promise<void> {
  const actor = { kind: 'system' as const, job: 'simulation' }
  const job = { ...world.env.system, actor, requestId: newId('req') }
  const params = { source: world.env.sources[store] }
  const { id } = await startRun(job, { kind: 'collection', params, dryRun: false })
  const handle = await claimRun(job, id, newId('prc'), 3_600_000)
  if (handle === null) return
  const pace = { ...PACE, nowMs: () => world.env.time.nowMs, pause: async () => {} }
  const result = await collect(job, handle, params, { retryForMs: 0, pace })
  await finishRun(job, handle, result)
  world.notes.push(`collected ${JSON.stringify(result.counts)}: ${result.outcome}`)
}
