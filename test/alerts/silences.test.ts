import { afterAll, beforeAll, expect, test } from 'vitest'
import { burnDown } from '@/lib/alerts/burn-down'
import { createSilence } from '@/lib/alerts/silences/create'
import { matches, overlap } from '@/lib/alerts/silences/match'
import { previewSilence, silenceTermsSchema } from '@/lib/alerts/silences/preview'
import { writeConditions } from '@/lib/conditions/write-conditions'
import { manualClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import { checkUrl } from '@/lib/outbound/check-url'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { userContext } from '../support/user-context'

let console: TestDatabase
const clock = manualClock('2026-03-01T12:00:00Z')
const as = (role: Role) => userContext(console.db, role, clock)
beforeAll(async () => {
  console = await createTestDatabase()
})
afterAll(() => console.close())

const later = (minutes: number) => new Date(clock.now().getTime() + minutes * 60_000).toISOString()
const REASON = 'the new version is being rolled out'
const raise = (...subjects: string[]) =>
  writeConditions(
    console.db.pool,
    clock.now(),
    { kinds: ['stale_telemetry'] },
    subjects.map((subject) => ({ kind: 'stale_telemetry', subject, detail: { environment: 'live' } })),
  )

test('needs an end after its beginning, something that it matches, and a reason', async () => {
  const operator = as('operator')
  const wrong = [
    { kind: 'store_errors' as const, endsAt: later(-1), reason: REASON },
    { endsAt: later(5), reason: REASON },
    { kind: 'store_errors' as const, endsAt: later(5), reason: ' ' },
    { kind: 'store_errors' as const, endsAt: later(91 * 1440), reason: REASON },
    { kind: 'store_errors' as const, startsAt: later(9), endsAt: later(5), reason: REASON },
  ]
  for (const input of wrong) await expect(createSilence(operator, input)).rejects.toThrow()
  await expect(
    createSilence(as('viewer'), { kind: 'store_errors', endsAt: later(5), reason: REASON }),
  ).rejects.toMatchObject({ code: 'forbidden' })
  expect(await console.db.prisma.silence.count()).toBe(0)
})

test('up to an hour a short reason is enough; longer, what was previewed and ten characters', async () => {
  const operator = as('operator')
  await raise('payments', 'payouts')
  const short = await createSilence(operator, {
    subject: 'pay',
    prefix: true,
    endsAt: later(60),
    reason: 'ok',
  })
  expect(short.state).toBe('active')
  const long = { subject: 'payouts', endsAt: later(61), reason: REASON }
  const preview = await previewSilence(
    console.db,
    clock.now(),
    silenceTermsSchema.parse({ subject: 'payouts', endsAt: later(61) }),
  )
  expect(preview).toMatchObject({
    tier: 2,
    matching: [{ subject: 'payouts', silence: { id: short.id } }],
    similar: [{ id: short.id }],
  })
  const { evidenceHash } = preview
  await expect(createSilence(operator, long)).rejects.toMatchObject({ code: 'conflict' })
  await expect(createSilence(operator, { ...long, reason: 'short', evidenceHash })).rejects.toThrow(/10/)
  clock.advance(1_000)
  await raise('payments')
  await expect(createSilence(operator, { ...long, endsAt: later(61), evidenceHash })).rejects.toMatchObject({
    code: 'conflict',
    meta: { matching: [] },
  })
  const window = { startsAt: later(30), endsAt: later(120) }
  const again = await previewSilence(
    console.db,
    clock.now(),
    silenceTermsSchema.parse({ subject: 'x', ...window }),
  )
  const planned = await createSilence(operator, {
    subject: 'x',
    ...window,
    reason: REASON,
    evidenceHash: again.evidenceHash,
  })
  expect(planned.state).toBe('scheduled')
  const audited = await console.db.prisma.auditEntry.findMany({ where: { verb: 'alert.silence' } })
  expect(audited.map(({ subject, reason }) => [subject, reason])).toEqual([
    [short.id, 'ok'],
    [planned.id, REASON],
  ])
})

test('matching: kind, subject exactly or by its beginning, environment; overlap is symmetric', () => {
  const any = { kind: null, subject: null, prefix: false, environment: null }
  const alert = { kind: 'stale_telemetry' as const, subject: 'payments-eu', environment: 'live' }
  expect(matches({ ...any, subject: 'payments' }, alert)).toBe(false)
  expect(matches({ ...any, subject: 'payments', prefix: true }, alert)).toBe(true)
  expect(matches({ ...any, kind: 'store_errors' }, alert)).toBe(false)
  expect(matches({ ...any, kind: 'stale_telemetry', environment: 'test' }, alert)).toBe(false)
  const [wide, narrow] = [
    { ...any, subject: 'pay', prefix: true },
    { ...any, kind: 'store_errors' as const, subject: 'payouts' },
  ]
  expect([overlap(wide, narrow), overlap(narrow, wide)]).toEqual([true, true])
  expect(overlap(narrow, { ...narrow, subject: 'refunds' })).toBe(false)
})

test.each([
  ['https://127.0.0.1/x', [], /not a public address/],
  ['https://10.1.2.3/x', [], /not a public address/],
  ['https://[::1]/x', [], /not a public address/],
  ['https://[::ffff:10.0.0.1]/x', [], /not a public address/],
  ['https://169.254.169.254/latest/meta-data', [], /not a public address/],
  ['https://localhost/x', [], /not a public address/],
  ['https://0x7f000001/x', [], /not a public address/],
  ['http://93.184.216.34/x', [], /must be https/],
  ['https://me:pw@example.com/x', [], /user name or password/],
  ['file:///etc/passwd', [], /must begin with https/],
  ['https://10.1.2.3/x', ['10.2.0.0/16'], /not a public address/],
])('%s with %j is refused', async (url, allow, why) => {
  expect(await checkUrl(url, allow)).toMatchObject({ kind: 'refused', why: expect.stringMatching(why) })
})

test('a public address passes with https, one of our own networks where the setting names it', async () => {
  expect(await checkUrl('https://93.184.216.34/x', [])).toMatchObject({
    kind: 'ok',
    address: '93.184.216.34',
  })
  expect(await checkUrl('http://10.1.2.3:8080/x', ['10.0.0.0/8'])).toMatchObject({ kind: 'ok' })
})

test('a budget goes from all to overspent, once something was counted; the burns look back 5 and 60 minutes, and a gap has none', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 2, 1, 12, minute))
  const points = [0, 1, 2, 3].map((minute) => ({
    at: at(minute),
    numerator: minute === 3 ? 4 : 0,
    denominator: 100,
  }))
  const course = burnDown(points, { from: at(-2), to: at(12), bucketSeconds: 60, target: 0.005, now: at(12) })
  expect(course.map(({ left }) => left)).toEqual([
    null,
    null,
    1,
    1,
    1,
    ...Array.from({ length: 9 }, () => -1),
  ])
  expect(course[5]).toMatchObject({ short: 2, long: 2 })
  expect(course[11]).toMatchObject({ short: null, long: 2 })
})
