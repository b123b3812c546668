import { afterAll, beforeAll, expect, test } from 'vitest'
import { ownOrigins } from '@/app/_server/auth'
import { parseEnv } from '@/lib/env'
import { bearer, type Console, createConsole, get, ORIGIN, post } from './console-fixture'

let console: Console
beforeAll(async () => {
  console = await createConsole()
})
afterAll(() => console.close())

const PATH = 'reconciliation/runs'
const BODY = { dryRun: true }
const runs = () => console.db.prisma.run.count()

test.each(['http://localhost:3000', 'http://127.0.0.1:3000'])(
  'a page of %s acts with its session',
  async (origin) => {
    const headers = { cookie: console.cookies.operator, origin, 'sec-fetch-site': 'same-origin' }
    expect((await post(PATH, BODY, headers)).status).toBe(202)
  },
)

test.each([
  ['another origin', { origin: 'https://evil.example' }],
  ['a name that begins like ours', { origin: 'http://localhost:3000.evil.example' }],
  ['another port of this host', { origin: 'http://localhost:3001' }],
  ['an opaque origin', { origin: 'null' }],
  ['a cross-site fetch', { origin: ORIGIN, 'sec-fetch-site': 'cross-site' }],
  ['no word of where it comes from', {}],
])('a session does not act for %s, but reads', async (_, headers) => {
  const mine = { cookie: console.cookies.operator, ...headers }
  const before = await runs()
  expect(await post(PATH, BODY, mine as Record<string, string>)).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  })
  expect(await runs()).toBe(before)
  expect((await get('runs', mine as Record<string, string>)).status).toBe(200)
})

test('a token needs no origin, and a bad one is not saved by a good session', async () => {
  expect((await post(PATH, BODY, bearer(console.tokens.operator))).status).toBe(202)
  const both = { ...bearer('idemscope_none'), cookie: console.cookies.operator, origin: ORIGIN }
  expect((await post(PATH, BODY, both)).status).toBe(401)
})

const auth = (where: string, body: unknown, headers: Record<string, string> = {}) =>
  console.app.auth.handler(
    new Request(`${ORIGIN}/api/auth/${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: ORIGIN, ...headers },
      body: JSON.stringify(body),
    }),
  )

test('there is no sign-up, and no making of users or keys over the API', async () => {
  const user = { email: 'mallory@example.com', password: 'a long enough password', name: 'Mallory' }
  expect((await auth('sign-up/email', user)).ok).toBe(false)
  const asAdmin = { cookie: console.cookies.admin }
  for (const where of ['admin/create-user', 'admin/set-role', 'admin/impersonate-user', 'api-key/create']) {
    expect((await auth(where, user, asAdmin)).ok, where).toBe(false)
  }
  expect(await console.db.prisma.user.count({ where: { email: user.email } })).toBe(0)
})

test('guessing a password is stopped, whatever address is claimed', async () => {
  const statuses: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) {
    const headers = { 'x-forwarded-for': `10.0.0.${attempt}` }
    statuses.push(
      (await auth('sign-in/email', { email: 'admin@example.com', password: 'wrong but long' }, headers))
        .status,
    )
  }
  expect(statuses[0]).toBe(401)
  expect(statuses.at(-1)).toBe(429)
})

test('a session that ended is nobody', async () => {
  const headers = { cookie: console.cookies.approver }
  expect((await get('runs', headers)).status).toBe(200)
  expect((await auth('sign-out', {}, headers)).ok).toBe(true)
  expect((await get('runs', headers)).status).toBe(401)
})

test('a console with a public name is acted on by pages of that name alone', () => {
  const origins = (url: string) => ownOrigins(parseEnv({ IDEMSCOPE_PUBLIC_URL: url, PORT: '3000' }))
  expect(origins('https://idemscope.example.com/')).toEqual(['https://idemscope.example.com'])
  expect(origins('http://127.0.0.1:8080')).toEqual([
    'http://127.0.0.1:8080',
    'http://localhost:3000',
    'http://127.0.0.1:3000',
  ])
})
