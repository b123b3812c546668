import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { collect } from '@/lib/retention/collect'
import { approvePolicy } from '@/lib/retention/policy/approve-policy'
import { isBelowFloor, readFloors } from '@/lib/retention/policy/floor'
import { listPolicies } from '@/lib/retention/policy/policies'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection } from '@/lib/retention/start-collection'
import { executeRun } from '@/lib/runs/execute'
import { openIntentSource } from '@/lib/sources/registry'
import { saveSource } from '@/lib/sources/save'
import { brandurLayout, type Layout, recipeLayout } from '../conformance/fixtures'
import { CREDENTIALS_KEY, createFixture, type Fixture } from '../locks/locks-fixture'

/** No key goes while it can be replayed: by its row, up to the row's expiry, or by the provider, up to its window. */

const HOUR_MS = 3_600_000
const EXCEPTION = 'Rides are never retried after an hour: their client gives up.'

let fixture: Fixture
let rides: Layout
let recipe: Layout
let operator: Context
let approver: Context
const sources = { rides: '', recipe: '', slow: '' }
beforeAll(async () => {
  fixture = await createFixture()
  rides = await brandurLayout()
  recipe = await recipeLayout()
  operator = await fixture.as('operator')
  approver = await fixture.as('approver')
  const save = (layout: Layout, system: string) =>
    saveSource(
      fixture.system,
      { ...layout.source, name: system, system, secret: { url: layout.url } },
      { credentialsKey: CREDENTIALS_KEY },
    )
  sources.rides = await save(rides, 'rides')
  sources.recipe = await save(recipe, 'recipe')
  sources.slow = await save(rides, 'slow-provider')
  await saveSource(
    fixture.system,
    {
      adapter: 'stripe',
      name: 'stripe',
      system: 'slow-provider',
      config: { idempotencyWindowMs: 30 * 24 * HOUR_MS },
      secret: { readKey: 'rk_live_123' },
    },
    { credentialsKey: CREDENTIALS_KEY },
  )
})
afterAll(async () => {
  await fixture.close()
  await rides.close()
  await recipe.close()
})

/** A finished key that was made, and last used, so many hours ago. */
const ride = (key: string, hoursOld: number, usedHoursAgo = hoursOld) =>
  rides.db.query(
    `INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path, recovery_point, user_id,
       locked_at, created_at, last_run_at, response_code, response_body)
     VALUES ($1, 'POST', '{}', '/rides', 'finished', 7, NULL, now() - $2 * interval '1 hour', now() - $3 * interval '1 hour', 201, '{}')`,
    [key, hoursOld, usedHoursAgo],
  )
async function keysOf(layout: Layout): Promise<string[]> {
  const { rows } = await layout.db.query(`SELECT idempotency_key AS key FROM ${layout.live} ORDER BY 1`)
  return rows.map(({ key }) => key)
}
async function run(source: string): Promise<void> {
  const started = await startCollection(operator, { source })
  await executeRun(fixture.system, { id: started.id, owner: 'w', leaseMs: 60_000 }, (ctx, handle) =>
    collect(ctx, handle, { source }, { safetyMs: 0 }),
  )
}
/** As one that was agreed on before there was a floor. */
const oldPolicy = (sourceId: string, ttlMs: number, endpoint = '', archive = false) =>
  fixture.console.db.prisma.retentionPolicy.create({
    data: {
      id: `pol_${sourceId}${endpoint}`,
      sourceId,
      endpoint,
      ttlMs: BigInt(ttlMs),
      safetyMs: 0n,
      archive,
      actionId: 'act_old',
      createdAt: new Date(0),
      updatedAt: new Date(0),
    },
  })

describe('a policy from before the floor', () => {
  test.each([
    ['', false],
    ['POST /rides', false],
    ['POST /rides', true],
  ])('takes nothing that its row still answers (endpoint "%s", archive %s)', async (endpoint, archive) => {
    await oldPolicy(sources.rides, HOUR_MS, endpoint, archive)
    await ride('live', 70)
    await ride('ended', 73)
    await run(sources.rides)
    expect(await keysOf(rides)).toEqual(['live'])
    const [policy] = await listPolicies(fixture.console.db, sources.rides)
    const floor = (await readFloors(fixture.system, [sources.rides])).get(sources.rides)
    expect(floor).toEqual({ floorMs: 72 * HOUR_MS, providerWindowMs: 24 * HOUR_MS })
    expect(policy && isBelowFloor(policy, floor)).toBe(true)
    await fixture.console.db.prisma.retentionPolicy.deleteMany({})
    await rides.db.query('TRUNCATE idempotency_keys')
  })

  test('takes nothing before the expiry that the row itself names', async () => {
    await oldPolicy(sources.recipe, 25 * HOUR_MS)
    for (const [key, expires] of [
      ['live', "now() + interval '1 hour'"],
      ['ended', "now() - interval '1 hour'"],
    ] as const) {
      await recipe.finish(key)
      await recipe.db.query(
        `UPDATE idempotency_requests SET created_at = now() - interval '50 hours', expires_at = ${expires} WHERE ${recipe.where(key)}`,
      )
    }
    await run(sources.recipe)
    expect(await keysOf(recipe)).toEqual(['live'])
    await fixture.console.db.prisma.retentionPolicy.deleteMany({})
  })
})

test('nothing goes while the provider still answers its key, counted from its last use', async () => {
  await ride('used-late', 80, 23)
  await ride('gone', 80, 25)
  await run(sources.rides)
  expect(await keysOf(rides)).toEqual(['used-late'])
  await ride('kept-longer', 80, 80)
  await ride('past-all', 31 * 24, 31 * 24)
  await run(sources.slow)
  expect(await keysOf(rides)).toEqual(['kept-longer', 'used-late'])
  // Switched off in the console it answers its keys all the same.
  const provider = { system: 'slow-provider', kind: 'provider' }
  await fixture.console.db.prisma.source.updateMany({ where: provider, data: { enabled: false } })
  await run(sources.slow)
  expect(await keysOf(rides)).toEqual(['kept-longer', 'used-late'])
  await fixture.console.db.prisma.source.updateMany({ where: provider, data: { enabled: true } })
  await rides.db.query('TRUNCATE idempotency_keys')
})

test('below the floor a policy takes an exception in words, which both people see', async () => {
  const input = {
    source: sources.rides,
    endpoint: 'POST /rides',
    ttlMs: HOUR_MS,
    safetyMs: 0,
    archive: false,
    reason: 'the disk is full',
  }
  await expect(proposePolicy(operator, input)).rejects.toMatchObject({
    code: 'unprocessable',
    message: expect.stringMatching(/1 h is below the floor of 72 h.*provider’s window of 24 h.*exception/s),
  })
  await expect(proposePolicy(operator, { ...input, exception: 'because' })).rejects.toThrow(/sentence/)
  await expect(
    proposePolicy(operator, { ...input, ttlMs: null, exception: EXCEPTION }),
  ).rejects.toMatchObject({ code: 'unprocessable' })
  const proposed = await proposePolicy(operator, { ...input, exception: EXCEPTION })
  expect(proposed.evidence).toMatchObject({ after: { exception: EXCEPTION }, floorMs: 72 * HOUR_MS })
  await ride('short', 2)
  await run(sources.rides)
  expect(await keysOf(rides)).toEqual(['short'])
  await approvePolicy(approver, { actionId: proposed.id, evidenceHash: proposed.evidenceHash ?? '' })
  expect(await listPolicies(fixture.console.db, sources.rides)).toMatchObject([{ exception: EXCEPTION }])
  await rides.db.query(`INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path,
      recovery_point, user_id, locked_at, created_at, last_run_at)
    VALUES ('other-route', 'POST', '{}', '/other', 'finished', 7, NULL, now() - interval '2 hours', now() - interval '2 hours')`)
  await run(sources.rides)
  expect(await keysOf(rides)).toEqual(['other-route'])
})

test('a floor that grew since it was proposed is other evidence', async () => {
  const { source } = await openIntentSource(fixture.system, sources.slow)
  expect(source.rowCollection?.ownExpiryMs).toBe(72 * HOUR_MS)
  const input = {
    source: sources.slow,
    ttlMs: HOUR_MS,
    safetyMs: 0,
    archive: false,
    reason: 'shorter than before',
  }
  const proposed = await proposePolicy(operator, { ...input, exception: EXCEPTION })
  await fixture.console.db.prisma.source.updateMany({
    where: { name: 'stripe' },
    data: { config: { idempotencyWindowMs: 60 * 24 * HOUR_MS } },
  })
  await expect(
    approvePolicy(approver, { actionId: proposed.id, evidenceHash: proposed.evidenceHash ?? '' }),
  ).rejects.toMatchObject({ code: 'conflict' })
})
