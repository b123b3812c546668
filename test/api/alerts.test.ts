import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '@/app/_server/api/table'
import { writeConditions } from '@/lib/conditions/write-conditions'
import { startWebhook } from '../alerts/webhook'
import { setSettings, TELLING_HERE } from '../support/settings'
import { bearer, type Console, createConsole, get, post, REASON, session } from './console-fixture'

setSettings(TELLING_HERE)

let console: Console
beforeAll(async () => {
  console = await createConsole()
  const finding = { kind: 'stale_telemetry' as const, subject: 'payments', detail: { environment: 'live' } }
  await writeConditions(console.db.pool, new Date(), { kinds: ['stale_telemetry'] }, [finding])
})
afterAll(() => console.close())

const later = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

/** What was answered is what the document says. */
const asDocumented = (method: string, path: string, status: 200 | 201, body: unknown) => {
  const route = ROUTES.find((each) => each.method === method && each.path === path)
  expect(route?.responses[status]?.schema.safeParse(body).error).toBeUndefined()
}

test('a silence through the API: looked at, made once for each key, listed, ended once', async () => {
  const operator = bearer(console.tokens.operator)
  const terms = { kind: 'stale_telemetry', subject: 'pay', prefix: true, endsAt: later(240) }
  const look = await post('alerts/silences', { ...terms, dryRun: true }, operator)
  expect(look).toMatchObject({
    status: 200,
    body: { tier: 2, matching: [{ subject: 'payments' }], similar: [] },
  })
  asDocumented('POST', 'alerts/silences', 200, look.body)
  expect(await post('alerts/silences', { ...terms, reason: REASON }, operator)).toMatchObject({
    status: 409,
    body: { reason: 'stale_evidence', matching: [{ subject: 'payments' }] },
  })
  const full = { ...terms, reason: REASON, evidenceHash: look.body.evidenceHash }
  const key = `"${randomUUID()}"`
  const [made, again] = [
    await post('alerts/silences', full, operator, key),
    await post('alerts/silences', full, operator, key),
  ]
  expect([made.status, again.status, again.body.id]).toEqual([201, 201, made.body.id])
  asDocumented('POST', 'alerts/silences', 201, made.body)
  const { body: audit } = await get(`audit?subject=${made.body.id}`, operator)
  expect(audit.items).toHaveLength(1)
  const { body: alerts } = await get('alerts?state=firing', operator)
  expect(alerts.items).toMatchObject([{ subject: 'payments', state: 'firing', silences: [made.body.id] }])
  asDocumented('GET', 'alerts', 200, alerts)
  asDocumented('GET', 'alerts/silences', 200, (await get('alerts/silences?state=active', operator)).body)
  const end = `alerts/silences/${made.body.id}/expire`
  expect((await post(end, { reason: REASON }, operator)).body.state).toBe('ended')
  expect((await post(end, { reason: REASON }, operator)).status).toBe(409)
  expect((await get('alerts/silences?state=active', operator)).body.items).toEqual([])
})

test.each([
  ['no end', { kind: 'store_errors', reason: REASON }],
  ['no reason', { kind: 'store_errors', endsAt: later(5) }],
  ['an end that has passed', { kind: 'store_errors', endsAt: later(-5), reason: REASON }],
  ['no matcher', { endsAt: later(5), reason: REASON }],
])('a silence with %s is a 400', async (_, body) => {
  expect((await post('alerts/silences', body, bearer(console.tokens.operator))).status).toBe(400)
})

test('a receiver: its URL is never given back, a test answers what it answered, M10 is measured with a pager', async () => {
  const hook = await startWebhook()
  const admin = session(console.cookies.admin)
  const m10 = async () =>
    (await get('measures', admin)).body.items.find(({ id }: { id: string }) => id === 'M10')
  expect(await m10()).toMatchObject({ value: null, state: 'not measured' })
  const inner = await post('alerts/receivers', { name: 'x', url: 'https://10.0.0.1/', reason: REASON }, admin)
  expect(inner).toMatchObject({ status: 422 })
  const made = await post(
    'alerts/receivers',
    { name: 'x', url: hook.url, paging: true, reason: REASON },
    admin,
  )
  expect(made).toMatchObject({ status: 201, body: { host: hook.host } })
  asDocumented('POST', 'alerts/receivers', 201, made.body)
  const listed = await get('alerts/receivers', admin)
  expect(JSON.stringify([made.body, listed.body])).not.toContain('s3cret')
  hook.answers({ status: 503, body: 'busy' })
  const tried = await post(`alerts/receivers/${made.body.id}/test`, {}, bearer(console.tokens.operator))
  expect(tried).toMatchObject({ status: 200, body: { kind: 'answered', status: 503, body: 'busy' } })
  expect(hook.received).toHaveLength(1)
  expect(await m10()).toMatchObject({ value: 0, numerator: 0, state: 'ok' })
  expect((await post(`alerts/receivers/${made.body.id}/remove`, { reason: REASON }, admin)).status).toBe(200)
  expect(await m10()).toMatchObject({ value: null, state: 'not measured' })
  await hook.close()
})

test('routes, acknowledgements and the delivery log through the API, as documented', async () => {
  const hook = await startWebhook()
  const [admin, operator] = [session(console.cookies.admin), bearer(console.tokens.operator)]
  const key = `"${randomUUID()}"`
  const receiver = { name: 'routed', url: hook.url, reason: REASON }
  const made = await post('alerts/receivers', receiver, admin, key)
  expect(made).toMatchObject({ status: 201, body: { signingSecret: expect.stringMatching(/^whsec_/) } })
  asDocumented('POST', 'alerts/receivers', 201, made.body)
  const again = await post('alerts/receivers', receiver, admin, key)
  expect(again.status).toBe(409)
  expect(JSON.stringify(again.body)).not.toContain('whsec_')

  const terms = { name: 'pages at night', severity: 'page', reason: REASON }
  const route = await post('alerts/routes', { ...terms, receiverId: made.body.id }, admin)
  expect(route).toMatchObject({ status: 201, body: { version: 1, intervalMs: 300_000, remindMs: 3_600_000 } })
  asDocumented('POST', 'alerts/routes', 201, route.body)
  const change = `alerts/routes/${route.body.id}/change`
  const changed = await post(change, { ...terms, version: 1, remindMs: null }, admin)
  expect(changed).toMatchObject({ status: 200, body: { version: 2, remindMs: null } })
  asDocumented('POST', 'alerts/routes/{id}/change', 200, changed.body)
  expect(await post(change, { ...terms, version: 1 }, admin)).toMatchObject({
    status: 409,
    body: { reason: 'stale_version', current: { version: 2 } },
  })
  asDocumented('GET', 'alerts/routes', 200, (await get('alerts/routes', operator)).body)
  const wrong = { ...terms, version: 2, quiet: { from: '22:00', to: '07:00', zone: 'Nowhere/City' } }
  expect((await post(change, wrong, admin)).status).toBe(400)
  const remove = `alerts/routes/${route.body.id}/remove`
  expect((await post(remove, { version: 2, reason: REASON }, operator)).status).toBe(403)
  expect((await post(remove, { version: 2, reason: REASON }, admin)).status).toBe(200)

  const { body: alerts } = await get('alerts?state=firing', operator)
  const id = alerts.items[0]?.id
  const acknowledged = await post(`alerts/${id}/acknowledge`, { minutes: 30, note: 'looking' }, operator)
  expect(acknowledged).toMatchObject({ status: 201, body: { alert: id, note: 'looking' } })
  asDocumented('POST', 'alerts/{id}/acknowledge', 201, acknowledged.body)
  expect((await post('alerts/alr_none/acknowledge', {}, operator)).status).toBe(404)
  const { body: shown } = await get('alerts?state=firing', operator)
  expect(shown.items[0]).toMatchObject({ id, acknowledgement: { note: 'looking' } })
  asDocumented('GET', 'alerts', 200, shown)
  const ended = await post(`alerts/${id}/unacknowledge`, {}, operator)
  expect(ended.status).toBe(200)
  asDocumented('POST', 'alerts/{id}/unacknowledge', 200, ended.body)
  expect((await post(`alerts/${id}/unacknowledge`, {}, operator)).status).toBe(409)
  const log = await get('alerts/deliveries?state=delivered,failed', operator)
  expect(log).toMatchObject({ status: 200, body: { items: [], next: null } })
  expect((await post(`alerts/receivers/${made.body.id}/remove`, { reason: REASON }, admin)).status).toBe(200)
  await hook.close()
})
