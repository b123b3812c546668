import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAgreed } from '@/lib/actions/agreed-list'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { approveTerms, rejectTerms, withdrawTerms } from '@/lib/alerts/terms/decide-terms'
import { previewTerms } from '@/lib/alerts/terms/preview-terms'
import { proposeTerms } from '@/lib/alerts/terms/propose-terms'
import { readConditions } from '@/lib/conditions/read-conditions'
import { TERMS, termsSchema } from '@/lib/conditions/terms'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { heartbeatProcess } from '@/lib/runs/processes'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { peopleOf } from '../access/people'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console: TestDatabase
let operator: Context
let approver: Context
const clock = manualClock('2026-03-08T12:00:00Z')
const REASON = 'the nightly batch is slow, and known'

beforeAll(async () => {
  console = await createTestDatabase()
  const people = peopleOf(console.db, clock)
  operator = await people.fromHost('Ola', 'operator')
  approver = await people.fromHost('Ava', 'approver')
  await ensurePartitions(console.db, clock)
  await heartbeatProcess(console.db, { id: 'prc_1', kind: 'worker', pid: 1 }, clock)
})
afterAll(() => console.close())

const seen = (action: { id: string; evidenceHash: string | null }) => ({
  actionId: action.id,
  evidenceHash: action.evidenceHash ?? '',
})
const minute = (at: string, committed: number, duplicates: number) =>
  console.db.pool.query(
    `INSERT INTO telemetry.minute_effect (minute, service, version, endpoint, client, name, committed, duplicates)
     VALUES ($1, 'web', '1', 'POST /pay', 'a', 'charge', $2, $3)`,
    [at, committed, duplicates],
  )

test('two people: proposed, refused to its proposer, in force once, and the next evaluation goes by it', async () => {
  const off = [{ kind: 'worker_dead' as const, severity: 'off' as const }]
  const action = await proposeTerms(operator, { rules: off, version: 0, reason: REASON })
  expect(action).toMatchObject({
    state: 'proposed',
    kind: 'condition_terms',
    evidence: { before: [], preview: { changes: [{ kind: 'worker_dead', before: 0, after: null }] } },
  })
  await expect(approveTerms(operator, seen(action))).rejects.toMatchObject({ code: 'forbidden' })
  await expect(proposeTerms(operator, { rules: [], version: 1, reason: REASON })).rejects.toMatchObject({
    code: 'conflict',
  })
  const both = await Promise.allSettled([1, 2].map(() => approveTerms(approver, seen(action))))
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await readAgreed(console.db, TERMS)).toMatchObject({ version: 1, rules: [{ kind: 'worker_dead' }] })
  await console.db.pool.query('DELETE FROM process_heartbeat')
  await evaluateConditions(operator)
  expect((await readConditions(console.db)).map(({ kind }) => kind)).not.toContain('worker_dead')

  const back = await proposeTerms(operator, { rules: [], version: 1, reason: REASON })
  await expect(withdrawTerms(approver, { actionId: back.id, reason: REASON })).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect(await rejectTerms(approver, { actionId: back.id, reason: REASON })).toMatchObject({
    state: 'rejected',
  })
})

test('what is no rule of theirs is refused before it is proposed', async () => {
  await expect(
    proposeTerms(operator, {
      rules: [{ kind: 'worker_dead', when: { service: 'web' }, forMs: 5 }],
      version: 1,
      reason: REASON,
    }),
  ).rejects.toThrow('of the whole console')
})

test('the preview counts the alerts of the last 7 days, as they would have been', async () => {
  // Ten minutes of 1 % on the 3rd, one minute of it an hour later, and the same traffic without any around them.
  for (let n = 0; n < 10; n++) await minute(`2026-03-03T10:0${n}:00Z`, 1000, 10)
  await minute('2026-03-03T10:40:00Z', 1000, 0)
  await minute('2026-03-03T22:00:00Z', 1000, 10)
  const count = async (rules: unknown[]) => {
    const after = termsSchema.parse(rules)
    return (await previewTerms(operator, { before: [], after })).map(({ before, after: then }) => [
      before,
      then,
    ])
  }
  const [[usual] = []] = await count([{ kind: 'duplicate_effects', forMs: 1 }])
  // Two pages, and the tickets that they leave behind once their hours are over.
  expect(usual).toBeGreaterThanOrEqual(2)
  expect(await count([{ kind: 'duplicate_effects', limits: { target: 0.5 } }])).toEqual([[usual, 0]])
  expect(await count([{ kind: 'duplicate_effects', severity: 'off' }])).toEqual([[usual, 0]])
  expect(
    await count([{ kind: 'duplicate_effects', when: { service: 'other' }, limits: { target: 0.0002 } }]),
  ).toEqual([[0, 0]])
  expect(await count([{ kind: 'stuck_keys', limits: { countMax: 5 } }])).toEqual([[0, null]])
})
