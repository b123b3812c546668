import type { SystemContext } from '@/lib/context'
import type { Aspect } from '@/lib/core/case-classes'
import { env } from '@/lib/env'
import type { CaseSides } from '@/lib/reconcile/cases/read-case-sides'
import { keyHash } from '@/lib/sources/key-hash'
import { listKeyedRequests } from '@/lib/telemetry/read/requests/keyed-requests'
import { readTraceEffects } from '@/lib/telemetry/read/traces/trace-effects'
import { buildLanes, type CaseLanes } from './lanes'

/** An operation has one key, or a few; each was tried a handful of times. */
const KEYS_MAX = 5
const ATTEMPTS_MAX = 40

/** The attempts of the case's keys: spans where they came, else what store and provider know. */
export async function readLanes(
  ctx: SystemContext,
  sides: CaseSides,
  aspect: Aspect,
): Promise<CaseLanes | null> {
  const secret = env().IDEMSCOPE_KEY_SECRET
  const named = [...sides.intent, ...sides.provider].flatMap(({ scope, key }) =>
    scope === null || key === null ? [] : [{ scope, key }],
  )
  const keys = [...new Map(named.map((each) => [`${each.scope} ${each.key}`, each])).values()].slice(
    0,
    KEYS_MAX,
  )
  const keyedRequests =
    secret === undefined
      ? []
      : await Promise.all(
          keys.map(({ scope, key }) =>
            listKeyedRequests(ctx.db, { scope, keyHash: keyHash(secret, key), limit: ATTEMPTS_MAX }),
          ),
        )
  const all = keyedRequests.flat()
  const effects = await readTraceEffects(ctx.db, [...new Set(all.map(({ traceId }) => traceId))])
  return buildLanes(sides, all, effects, aspect)
}
