import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { matchRoute } from '@/app/_server/api/match'
import type { Route } from '@/app/_server/api/route'
import { ROUTES } from '@/app/_server/api/table'
import { PERMISSIONS, ROLES, roleAllows } from '@/lib/core/permissions'
import { type Answer, bearer, type Console, createConsole, get, post, session } from './console-fixture'

/** What holds for each route of the table, those that come later included. */

let console: Console
beforeAll(async () => {
  console = await createConsole()
})
afterAll(() => console.close())

const MUTATIONS = ROUTES.filter(({ method }) => method === 'POST')
const SWITCH = 'settings/kill-switch'
const named = (routes: readonly Route[]) =>
  routes.map((route) => [`${route.method} ${route.path}`, route] as const)
const pathOf = ({ path }: Route) => path.replace('{id}', 'act_none')
const ask = (route: Route, headers: Record<string, string>): Promise<Answer> =>
  route.method === 'POST' ? post(pathOf(route), {}, headers) : get(pathOf(route), headers)

test.each(named(ROUTES))('%s is reached by its own path', (_, route) => {
  const match = matchRoute(ROUTES, route.method, pathOf(route).split('/'))
  expect(match.kind === 'route' && match.route.path).toBe(route.path)
})

test.each(named(ROUTES))('%s is 401 for whoever is nobody', async (_, route) => {
  const nobodies = [
    {},
    bearer('idemscope_none'),
    { authorization: 'Basic dXNlcjpwYXNz' },
    { cookie: 'better-auth.session_token=none.none' },
  ]
  for (const headers of nobodies) {
    const answer = await ask(route, headers)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body).toMatchObject({
      code: 'unauthenticated',
      requestId: answer.headers.get('x-request-id'),
    })
  }
})

const refused = MUTATIONS.filter(({ verb }) => !roleAllows('operator', verb) || !roleAllows('viewer', verb))
test.each(named(refused))('%s names the role that it needs', async (_, route) => {
  const role = roleAllows('operator', route.verb) ? 'viewer' : 'operator'
  const answer = await ask(route, bearer(console.tokens[role]))
  const [roleNeeded] = PERMISSIONS[route.verb]
  expect(answer).toMatchObject({
    status: 403,
    body: { code: 'forbidden', verb: route.verb, roleNeeded, role },
  })
  expect(answer.body.detail).toContain(roleNeeded)
})

test('a role that is higher may do what a lower one may', () => {
  for (const { verb } of ROUTES) {
    const allowed = ROLES.map((role) => roleAllows(role, verb))
    expect(allowed, verb).toEqual(allowed.toSorted())
  }
})

test.each(named(MUTATIONS))('%s needs a key', async (_, route) => {
  const answer = await post(pathOf(route), {}, session(console.cookies.admin), null)
  expect(answer).toMatchObject({ status: 400, body: { code: 'idempotency_key_missing' } })
  expect(answer.body.detail).toContain('UUID')
})

/** What only stops something, or runs an incident. Everything else is refused while writes are off. */
const CONTAINING = [
  'actions/{id}/reject',
  'actions/{id}/withdraw',
  'holds',
  'incidents',
  'incidents/{id}/acknowledge',
  'incidents/{id}/close',
  'incidents/{id}/mitigate',
  'incidents/{id}/notes',
  'incidents/{id}/reopen',
  'incidents/{id}/roles',
  'incidents/{id}/severity',
  'runs/{id}/cancel',
  SWITCH,
]

test('the routes that work while writes are off are those that only contain', () => {
  const working = MUTATIONS.filter(({ worksWhenWritesAreOff }) => worksWhenWritesAreOff)
  expect(working.map(({ path }) => path).toSorted()).toEqual(CONTAINING.toSorted())
})

const reason = 'provider says it is down'
const proposal = async (proposerId: string) => {
  const row = { id: `act_${randomUUID()}`, kind: 'refund', state: 'proposed', reason, createdAt: new Date() }
  return (await console.db.prisma.action.create({ data: { ...row, proposerId } })).id
}

test('the kill switch stops every mutation that is no containment, and no read', async () => {
  const [approver, admin, operator] = [
    session(console.cookies.approver),
    session(console.cookies.admin),
    session(console.cookies.operator),
  ]
  const { id: operatorId } = await console.db.prisma.user.findFirstOrThrow({
    where: { email: 'operator@example.com' },
  })
  const [rejected, withdrawn] = [await proposal(operatorId), await proposal(operatorId)]
  const { body: run } = await post('reconciliation/runs', { dryRun: true }, operator)
  expect((await get(SWITCH, approver)).body).toMatchObject({ on: false, version: 0 })
  expect(await post(SWITCH, { on: true, reason }, approver)).toMatchObject({
    status: 200,
    body: { on: true, reason },
  })

  for (const route of MUTATIONS.filter(({ path }) => !CONTAINING.includes(path))) {
    const answer = await ask(route, admin)
    expect(answer, route.path).toMatchObject({ status: 403, body: { code: 'kill_switch' } })
    // Who and why, so that the reader knows whom to ask.
    expect(answer.body.detail).toContain(`approver switched all writes off: ${reason}`)
  }
  expect(await post(`actions/${rejected}/reject`, { reason }, approver)).toMatchObject({
    status: 200,
    body: { state: 'rejected' },
  })
  expect((await post(`actions/${withdrawn}/withdraw`, { reason }, operator)).status).toBe(200)
  expect((await post(`runs/${run.id}/cancel`, {}, operator)).body).toMatchObject({ cancelRequested: true })
  for (const path of ['runs', 'locks', 'audit', 'measures', 'sources', 'conditions']) {
    expect((await get(path, approver)).status, path).toBe(200)
  }

  // One approver asks; an administrator's word is enough.
  const asked = await post(SWITCH, { on: false, reason: 'provider is back' }, approver)
  expect(asked).toMatchObject({ status: 200, body: { on: true, reason, pending: { by: 'approver' } } })
  expect((await post(SWITCH, { on: false, reason: 'provider is back' }, admin)).body.on).toBe(false)
  expect((await post('reconciliation/runs', { dryRun: true }, approver)).status).toBe(202)
  const { body } = await get('audit?verb=kill_switch.set', approver)
  expect(body.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['off', 'proposed', 'on'])
})
