import { afterAll, beforeAll, expect, test } from 'vitest'
import { matchRoute } from '@/app/_server/api/match'
import type { Route } from '@/app/_server/api/route'
import { ROUTES } from '@/app/_server/api/table'
import { PERMISSIONS, ROLES, roleAllows } from '@/lib/core/permissions'
import { type Answer, bearer, type Console, createConsole, get, post, session } from './stand'

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

const reason = 'provider says it is down'
test('the kill switch stops every mutation, and no read', async () => {
  const approver = session(console.cookies.approver)
  expect((await get(SWITCH, approver)).body).toMatchObject({ on: false, version: 0 })
  expect(await post(SWITCH, { on: true, reason }, approver)).toMatchObject({
    status: 200,
    body: { on: true, reason },
  })

  for (const route of MUTATIONS.filter(({ path }) => path !== SWITCH)) {
    const answer = await ask(route, session(console.cookies.admin))
    expect(answer, route.path).toMatchObject({ status: 403, body: { code: 'kill_switch' } })
    // Who and why, so that the reader knows whom to ask.
    expect(answer.body.detail).toContain(`approver switched all writes off: ${reason}`)
  }
  for (const path of ['runs', 'locks', 'audit', 'measures', 'sources', 'conditions']) {
    expect((await get(path, approver)).status, path).toBe(200)
  }

  expect((await post(SWITCH, { on: false, reason: 'provider is back' }, approver)).body.on).toBe(false)
  expect((await post('reconciliation/runs', { dryRun: true }, approver)).status).toBe(202)
  const { body } = await get('audit?verb=kill_switch.set', approver)
  expect(body.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['off', 'on'])
})
