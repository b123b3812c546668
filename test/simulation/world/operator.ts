import { checkLocks } from '@/lib/locks/assess/check-locks'
import { approveFail } from '@/lib/locks/fail/decide'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import type { Account } from '../environment/accounts'
import { SCOPE } from './service'
import type { World } from './world'

/** `callMs` covers what a request may take on its way (provider.ts). */
export const KEY_SETTINGS = {
  graceMs: 2_000,
  skewMs: 5_000,
  settleDelayMs: 60_000,
  callMs: 25_000,
  providerWindowMs: 86_400_000,
  askAgainMs: 15_000,
}

/** An operator looks at the list of locks and does what they want on the version that it shows. */
export async function operate(
  world: World,
  verb: 'release' | 'complete' | 'fail',
  key: string,
  { by = 'bob', agrees = true }: { by?: Account; agrees?: boolean } = {},
): Promise<void> {
  const ctx = world.as(by)
  const sourceId = world.env.sources.store
  await checkLocks(ctx, sourceId, KEY_SETTINGS)
  const lock = await ctx.db.prisma.lock.findFirst({
    where: { sourceId, key, goneAt: null },
    orderBy: { checkedAt: 'desc' },
  })
  if (lock === null) return
  world.notes.push(`${key} shows ${lock.verdict}`)
  const { failOversToCopy } = world
  const input = { sourceId, scope: SCOPE, key, seen: lock.version, reason: 'looked at by hand' }
  let action = await operateKey(ctx, verb, input, { settings: KEY_SETTINGS })
  if (action.state === 'proposed' && agrees) action = await agree(world, action)
  world.notes.push(`${verb} ${key}: ${action.state} ${JSON.stringify(action.result)}`)
  const facts = world.factsOf(key)
  if (verb === 'complete') facts.completedByOperator ||= action.state !== 'refused'
  if (verb === 'fail' && failOversToCopy === world.failOversToCopy)
    facts.failedByOperator ||= action.state === 'done'
}

/** A second person agrees to the same evidence. */
const agree = (world: World, { id, evidenceHash }: { id: string; evidenceHash: string | null }) =>
  approveFail(world.as('pat'), { actionId: id, evidenceHash: evidenceHash ?? '' }, { settings: KEY_SETTINGS })
