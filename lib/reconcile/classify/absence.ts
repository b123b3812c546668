import type { ClassifyContext, LookUp } from './finding'
import type { Life } from './operation'

/** Complete provider staging that covers [lease created − skew, now − settle delay]: what it does not show is not there. */
export function negativeRead(life: Life, ctx: ClassifyContext): boolean {
  if (ctx.sides.provider !== 'complete' || ctx.coverage === null) return false
  return (
    ctx.coverage.from.getTime() <= life.acquiredAt.getTime() - ctx.clockSkewMs &&
    ctx.coverage.to.getTime() >= ctx.asOf.getTime() - ctx.settleDelayMs
  )
}

export const keyLookUp = (unit: { scope: string | null; key: string | null }): LookUp[] =>
  unit.scope === null || unit.key === null ? [] : [{ kind: 'key', scope: unit.scope, key: unit.key }]
