import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '@/app/_server/api/table'
import { GET } from '@/app/api/v1/[...path]/route'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import { writeConditions } from '@/lib/conditions/write-conditions'
import { peopleOf } from '../access/people'
import { bearer, type Console, createConsole, get, ORIGIN, post, REASON, session } from './console-fixture'

let console: Console
beforeAll(async () => {
  console = await createConsole()
})
afterAll(() => console.close())

const viewer = () => bearer(console.tokens.viewer)
const operator = () => bearer(console.tokens.operator)
const schemaOf = (path: string) =>
  ROUTES.find((route) => route.path === path && route.method === 'GET')?.responses[200]?.schema

test('an incident is found, run and exported as the document says, by the same key once', async () => {
  await writeConditions(console.db.pool, new Date(), { kinds: ['stuck_keys'] }, [
    {
      kind: 'stuck_keys',
      subject: 'payments',
      detail: { system: 'payments', count: 3, money: [{ minor: '1050', currency: 'EUR' }] },
    },
  ])
  const list = await get('incidents?status=open', viewer())
  expect(list.status).toBe(200)
  expect(schemaOf('incidents')?.parse(list.body)).toEqual(list.body)
  const [incident] = list.body.items
  expect(incident).toMatchObject({
    revision: 1,
    moneyAtRisk: { amounts: [{ minor: '1050', currency: 'EUR' }] },
  })
  const path = `incidents/${incident.id}`

  const brief = await get(path, viewer())
  expect(schemaOf('incidents/{id}')?.parse(brief.body)).toEqual(brief.body)
  expect(brief.body).toMatchObject({
    verdict: { tone: 'bad', text: expect.stringContaining('3 keys stuck') },
    runbook: { id: 'stuck-keys' },
  })

  const key = '"a-key-of-one-close-000"'
  const take = await post(`${path}/roles`, { revision: 1, role: 'commander' }, operator(), key)
  expect(take).toMatchObject({ status: 200, body: { commander: 'operator token', revision: 2 } })
  expect(await post(`${path}/roles`, { revision: 1, role: 'commander' }, operator(), key)).toMatchObject({
    status: 200,
    body: { revision: 2 },
  })
  expect(await post(`${path}/mitigate`, { revision: 1, how: REASON }, operator())).toMatchObject({
    status: 409,
    body: { revision: 2 },
  })
  expect((await post(`${path}/mitigate`, { revision: 2 }, operator())).status).toBe(400)
  expect((await post(`${path}/mitigate`, { revision: 2, how: REASON }, viewer())).status).toBe(403)
  expect((await get('incidents/inc_none', viewer())).status).toBe(404)

  // The entry of the time line and of the audit stand once.
  const timeline = await get(`${path}/timeline?limit=2`, viewer())
  expect(schemaOf('incidents/{id}/timeline')?.parse(timeline.body)).toEqual(timeline.body)
  expect(timeline.body.items[0]).toMatchObject({ text: 'Commander is operator token' })
  expect(await console.db.prisma.auditEntry.count({ where: { verb: 'incident.role' } })).toBe(1)

  for (const [format, type] of [
    ['markdown', 'text/markdown; charset=utf-8'],
    ['json', 'application/json'],
  ] as const) {
    const request = new Request(`${ORIGIN}/api/v1/${path}/postmortem?format=${format}`, { headers: viewer() })
    const answer = await GET(request, { params: Promise.resolve({ path: `${path}/postmortem`.split('/') }) })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe(type)
    expect(await answer.text()).toContain('Keys are stuck')
  }
})

test('incidents are run while writes are off', async () => {
  const { db, clock } = console.app
  await setKillSwitch(await peopleOf(db, clock).as('admin'), { on: true, reason: REASON })
  const opened = await post('incidents', { title: 'Customers call', area: 'console' }, operator())
  expect(opened).toMatchObject({ status: 201, body: { status: 'open', openedBy: 'operator token' } })
  const { id } = opened.body
  expect((await post(`incidents/${id}/notes`, { text: 'writes are off' }, operator())).status).toBe(200)
  const acknowledged = await post(`incidents/${id}/acknowledge`, { revision: 1 }, operator())
  expect(acknowledged).toMatchObject({ status: 200, body: { status: 'acknowledged' } })
  const close = { revision: 2, cause: 'a provider was down', followUps: ['call them'] }
  expect(await post(`incidents/${id}/close`, close, session(console.cookies.operator))).toMatchObject({
    status: 200,
    body: { status: 'closed', followUps: ['call them'] },
  })
  expect(
    (await post(`incidents/${id}/reopen`, { revision: 3, reason: REASON }, operator())).body.status,
  ).toBe('open')
})
