import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { listKeys } from '@/lib/keys/list-keys'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { type SaveSource, saveSource } from '@/lib/sources/save'
import { CREDENTIALS_KEY, type Fixture, REASON, SETTINGS } from '../locks/locks-fixture'

export type Verb = 'release' | 'complete' | 'fail'

/** A store that is connected beside the fixture's provider, in the system `payments`, and what an operator does with it. */
export async function operate(fixture: Fixture, store: Omit<SaveSource, 'name' | 'system'>, scope: string) {
  const operator: Context = await fixture.as('operator')
  const sourceId = await saveSource(
    fixture.system,
    { ...store, name: 'operated', system: 'payments' },
    { credentialsKey: CREDENTIALS_KEY },
  )
  const locks = async (key: string): Promise<LockView[]> => {
    await checkLocks(fixture.system, sourceId, SETTINGS)
    const filter = { source: sourceId, key }
    return (await listLocks(fixture.console.db, filter, { limit: 1 }, systemClock.now())).items
  }
  return {
    sourceId,
    operator,
    locks,
    async lockOf(key: string): Promise<LockView> {
      const [lock] = await locks(key)
      if (lock === undefined) throw new Error(`no lock of ${key}`)
      return lock
    },
    act: (verb: Verb, lock: LockView) =>
      operateKey(
        operator,
        verb,
        {
          sourceId: lock.source,
          scope: lock.scope,
          key: lock.key,
          seen: lock.version,
          reason: REASON,
          lockId: lock.id,
        },
        { settings: SETTINGS },
      ),
    /** The provider has the effect of this key. */
    charged: (key: string) =>
      fixture.stripe.paymentIntents.create({
        amount: 1050,
        currency: 'usd',
        confirm: true,
        payment_method: 'pm_card_visa',
        metadata: {
          idempotency_scope: scope,
          idempotency_key: key,
          idempotency_step: 'charge',
          reference: 'o-1',
        },
      }),
    stage: () => stageSystem(fixture.system, 'payments'),
    /** What the mirror has of a key, as last staged. */
    staged: async (key: string) =>
      (await listKeys(fixture.system, { source: sourceId, key }, { limit: 5 })).items.map(
        ({ state }) => state,
      ),
    action: (id: string) => fixture.console.db.prisma.action.findUniqueOrThrow({ where: { id } }),
    /** As long ago that its end can be settled by reading. */
    age: (id: string) =>
      fixture.console.db.pool.query(
        `UPDATE action SET executed_at = executed_at - interval '5 minutes' WHERE id = $1`,
        [id],
      ),
  }
}
export type Operated = Awaited<ReturnType<typeof operate>>
