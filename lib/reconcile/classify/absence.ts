import type { ClassifyContext, LookUp } from './finding'
import type { Life } from './operation'
import { latest } from './units'

/** Complete provider staging that covers [lease created − skew, now − settle delay]: what it does not show is not there. */
export function negativeRead(life: Life, ctx: ClassifyContext): boolean {
  if (ctx.sides.provider !== 'complete' || ctx.coverage === null) return false
  return (
    ctx.coverage.from.getTime() <= life.acquiredAt.getTime() - ctx.clockSkewMs &&
    ctx.coverage.to.getTime() >= ctx.asOf.getTime() - ctx.settleDelayMs
  )
}

/** From the last moment at which something can have been begun until the provider shows it, or never will. */
export const absenceMs = ({ callMs, settleDelayMs, clockSkewMs }: ClassifyContext): number =>
  callMs + settleDelayMs + clockSkewMs

/** Until its lease ends, or a step that it has begun: its first acquire says nothing of a retry. */
export const lastBegun = (life: Life): Date =>
  latest(life.acquiredAt, life.leaseUntil, life.completedAt, ...life.effects.map(({ begunAt }) => begunAt))

export const keyLookUp = (unit: { scope: string | null; key: string | null }): LookUp[] =>
  unit.scope === null || unit.key === null ? [] : [{ kind: 'key', scope: unit.scope, key: unit.key }]
