import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { credentials } from '@/demo/stores/credentials'
import { type StoreName, storeNames, tableName } from '@/demo/stores/names'
import type { IntentSource } from '@/lib/sources/contracts'
import { nativeDynamoConfigSchema } from '@/lib/sources/native-dynamodb/config'
import { openNativeDynamoSource } from '@/lib/sources/native-dynamodb/open'
import { nativeRedisConfigSchema } from '@/lib/sources/native-redis/config'
import { openNativeRedisSource } from '@/lib/sources/native-redis/open'
import { faultNames, faults, type PaymentFault } from '../../demo/traffic/faults/registry'
import type { Finding } from '../../demo/traffic/faults/stage'
import { planOperation } from '../../demo/traffic/plan'
import { type Fixture, startFixture } from './demo-fixture'

/** What a fault leaves behind: in the store, at the provider and in the ledger. */
interface Traces {
  /** Succeeded charges of the reference. */
  charges: number
  /** Ledger entries of those charges and of their refunds, not reversed. */
  postings: number
  /** The key: a record, or a lease. */
  key: 'record' | 'lease' | 'absent'
}

const expected: Record<PaymentFault, Traces> = {
  response_lost: { charges: 1, postings: 1, key: 'record' },
  killed_before_effect: { charges: 1, postings: 1, key: 'record' },
  stopped_and_taken_over: { charges: 1, postings: 1, key: 'record' },
  stopped_on_legacy_route: { charges: 2, postings: 1, key: 'record' },
  second_purchase: { charges: 1, postings: 1, key: 'record' },
  killed_after_answer: { charges: 1, postings: 0, key: 'lease' },
  hung_before_effect: { charges: 0, postings: 0, key: 'lease' },
  new_key_same_reference: { charges: 2, postings: 2, key: 'record' },
  expired_key_retry: { charges: 2, postings: 2, key: 'record' },
  key_reused: { charges: 1, postings: 1, key: 'record' },
  store_bypassed: { charges: 1, postings: 0, key: 'absent' },
  ledger_lost: { charges: 1, postings: 0, key: 'record' },
  wrong_amount_booked: { charges: 1, postings: 1, key: 'record' },
  failed_after_posting: { charges: 0, postings: 1, key: 'record' },
  refund_not_booked: { charges: 1, postings: 1, key: 'record' },
  refund_failed: { charges: 1, postings: 2, key: 'record' },
}

/** Where the ledger is not in the store's database, a holder that lost its lease books before it learns that it did. */
const postingsElsewhere: Partial<Record<PaymentFault, number>> = { stopped_on_legacy_route: 2 }

describe.each(storeNames)('faults on %s', (store) => {
  let fixture: Fixture
  let further: IntentSource | null
  const findings = new Map<PaymentFault, Finding>()

  beforeAll(async () => {
    fixture = await startFixture(2, store !== 'postgresql')
    further = openFurther(store, fixture.urls)
    // Side by side: most of their time is waiting for leases and expiry.
    await Promise.all(
      faultNames.map(async (name, index) => {
        const operation = planOperation(
          { seed: 'faults', faultRate: 1, faults: faultNames, messageFaults: [], stores: [store] },
          index,
        )
        findings.set(name, await faults[name].run(fixture.stage(operation)))
      }),
    )
  })
  afterAll(async () => {
    await further?.close()
    await fixture?.close()
  })

  test.each(faultNames)('%s leaves what it should', async (name) => {
    const finding = findings.get(name)
    if (finding === undefined) throw new Error('no finding')
    const charges = await chargesOf(finding.reference)
    expect({
      charges: charges.filter((charge) => charge.status === 'succeeded').length,
      postings: await countPostings(finding.reference),
      key: await readKey(finding),
    }).toEqual({
      ...expected[name],
      ...(store === 'postgresql' ? {} : { postings: postingsElsewhere[name] ?? expected[name].postings }),
    })
  })

  test('findings name the provider’s objects in the order of their creation', async () => {
    for (const name of ['stopped_on_legacy_route', 'new_key_same_reference', 'expired_key_retry'] as const) {
      const finding = findings.get(name)
      const charges = await chargesOf(finding?.reference ?? '')
      expect(finding?.effectIds, name).toEqual(charges.map((charge) => charge.id))
      expect(charges.at(-1)?.metadata, name).toMatchObject({
        idempotency_scope: finding?.scope,
        idempotency_key: finding?.key,
        idempotency_step: 'charge',
        reference: finding?.reference,
      })
    }
  })

  test('the unbooked refund is the one that the provider made', async () => {
    const finding = findings.get('refund_not_booked')
    const refund = await fixture.stripe.refunds.retrieve(finding?.effectIds[0] ?? '')
    expect(refund).toMatchObject({ status: 'succeeded' })
    expect(refund.metadata).toMatchObject({ idempotency_key: finding?.key, reference: finding?.reference })
  })

  test('the failed refund is the one that was booked', async () => {
    const id = findings.get('refund_failed')?.effectIds[0] ?? ''
    expect(await fixture.stripe.refunds.retrieve(id)).toMatchObject({ status: 'failed' })
    const { rows } = await fixture.pool.query('SELECT entry_kind FROM ledger_entry WHERE provider_ref = $1', [
      id,
    ])
    expect(rows).toEqual([{ entry_kind: 'refund' }])
  })

  test('the wrong amount is no power of ten away', async () => {
    const charge = await fixture.stripe.charges.retrieve(
      findings.get('wrong_amount_booked')?.effectIds[0] ?? '',
    )
    const { rows } = await fixture.pool.query(
      'SELECT amount_minor FROM ledger_entry WHERE provider_ref = $1',
      [charge.id],
    )
    const ratio = Number(rows[0]?.amount_minor) / charge.amount
    expect(ratio).not.toBe(1)
    expect([10, 100, 1000, 0.1, 0.01, 0.001]).not.toContain(ratio)
  })

  async function chargesOf(reference: string) {
    const charges = await fixture.stripe.charges.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
    return charges.filter((charge) => charge.metadata.reference === reference).reverse()
  }

  async function countPostings(reference: string): Promise<number> {
    const sql = 'SELECT count(*)::int AS n FROM ledger_entry WHERE reference = $1 AND reversed_at IS NULL'
    return z.object({ n: z.int() }).parse((await fixture.pool.query(sql, [reference])).rows[0]).n
  }

  async function readKey({ scope, key }: Finding): Promise<Traces['key']> {
    if (further !== null) {
      const { lease, record } = await further.readKey(scope, key)
      if (lease !== null) return 'lease'
      return record === null ? 'absent' : 'record'
    }
    const { rows } = await fixture.pool.query(
      `SELECT EXISTS (SELECT FROM idem_lease JOIN idem_scope USING (scope_id)
                      WHERE name = $1 AND key = idem_key_bytes($2)) AS lease,
              EXISTS (SELECT FROM idem_record JOIN idem_scope USING (scope_id)
                      WHERE name = $1 AND key = idem_key_bytes($2)) AS record`,
      [scope, key],
    )
    const found = z.object({ lease: z.boolean(), record: z.boolean() }).parse(rows[0])
    expect(found.lease && found.record).toBe(false)
    if (found.lease) return 'lease'
    return found.record ? 'record' : 'absent'
  }
})

/** The store as the console reads it, with the console's rights. */
function openFurther(store: StoreName, { dynamodb, redisConsole }: Fixture['urls']): IntentSource | null {
  switch (store) {
    case 'postgresql':
      return null
    case 'dynamodb':
      return openNativeDynamoSource(nativeDynamoConfigSchema.parse({ table: tableName }), {
        region: 'local',
        endpoint: dynamodb,
        ...credentials,
      })
    case 'redis':
      return openNativeRedisSource(nativeRedisConfigSchema.parse({}), { url: redisConsole })
  }
}
