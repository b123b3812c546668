import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { proposeAdvised } from '@/lib/retention/advise'
import { approvePolicy } from '@/lib/retention/policy/approve-policy'
import { listPolicies } from '@/lib/retention/policy/policies'
import { saveSource } from '@/lib/sources/save'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { brandurLayout, type Layout } from '../conformance/fixtures'
import { CREDENTIALS_KEY, createFixture, type Fixture } from '../locks/locks-fixture'

let fixture: Fixture
let layout: Layout
const now = systemClock.now()
const from = new Date(now.getTime() - 7_200_000)
beforeAll(async () => {
  ;[fixture, layout] = await Promise.all([createFixture(), brandurLayout()])
  await ensurePartitions(fixture.console.db, systemClock)
  // Each key comes again after ten minutes.
  await fixture.console.db.pool.query(
    `INSERT INTO telemetry.keyed_request (time, end_time, record_created_at, record_expires_at, store_operations, store_errors,
       first_seen, duplicate, expired_retry, effect_twice, final, trace_id, span_id, key_hash, service, version, instance,
       environment, region, scope, endpoint, client, outcome)
     SELECT at, at, $1, $1::timestamptz + interval '72 hours', 1, 0, m = 0, m = 1, false, false, true, uuid_send(gen_random_uuid()),
       substr(uuid_send(gen_random_uuid()), 1, 8), substr(sha256(n::text::bytea), 1, 16), 's', '1', 'i', 'e', 'r',
       '7/POST /rides', 'POST /rides', '7', CASE m WHEN 0 THEN 'executed' ELSE 'replayed' END
     FROM generate_series(1, 50) n, generate_series(0, 1) m,
       LATERAL (SELECT $1::timestamptz + (n + m * 600) * interval '1 s' AS at) x`,
    [new Date(now.getTime() - 3_600_000)],
  )
})
afterAll(async () => {
  await fixture.close()
  await layout.close()
})

test('one step from an advice to a proposal that says its reason; another person puts it in force', async () => {
  const source = await saveSource(
    fixture.system,
    { ...layout.source, name: 'rides', system: 'rides', secret: { url: layout.url } },
    { credentialsKey: CREDENTIALS_KEY },
  )
  const operator = await fixture.as('operator')
  const input = { source, endpoint: 'POST /rides', from, to: now, safetyMs: 60_000, archive: false }
  const proposed = await proposeAdvised(operator, input)
  expect(proposed).toMatchObject({
    state: 'proposed',
    kind: 'retention_policy',
    reason:
      'Advised: 50 of 50 keys came again, the last after 600 s; 15 min with a margin of 1.5. Raised to the floor, up to which keys can be replayed.',
  })
  const evidenceHash = proposed.evidenceHash ?? ''
  await approvePolicy(await fixture.as('approver'), { actionId: proposed.id, evidenceHash })
  expect(await listPolicies(fixture.console.db, source)).toMatchObject([
    { endpoint: 'POST /rides', ttlMs: 72 * 3_600_000, safetyMs: 60_000, version: 1 },
  ])
  await expect(proposeAdvised(operator, { ...input, endpoint: 'POST /other' })).rejects.toMatchObject({
    code: 'not_found',
  })
  // The TTL of a native tier is the service's own.
  await expect(proposeAdvised(operator, { ...input, source: fixture.sourceId })).rejects.toMatchObject({
    code: 'unprocessable',
  })
  await expect(proposeAdvised(await fixture.as('viewer'), input)).rejects.toMatchObject({ code: 'forbidden' })
})
