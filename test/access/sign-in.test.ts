import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type Auth, createAuth } from '@/lib/access/auth'
import {
  addressBucket,
  clientAddress,
  FORWARDED_HEADER,
  PEER_HEADER,
} from '@/lib/access/sign-in/client-address'
import { Lane } from '@/lib/access/sign-in/hashing'
import { ensureUser } from '@/lib/access/users'
import { manualClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

const ORIGIN = 'http://localhost:3000'
const PASSWORD = 'correct horse battery'
const MINUTE_MS = 60_000

let console: TestDatabase
let auth: Auth
const clock = manualClock('2026-01-01T00:00:00Z')
beforeAll(async () => {
  console = await createTestDatabase()
  auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: ORIGIN })
  await ensureUser(console.db, clock, {
    email: 'ada@test.local',
    name: 'Ada',
    role: 'approver',
    password: PASSWORD,
  })
})
afterAll(() => console.close())
beforeEach(() => console.db.prisma.attemptCount.deleteMany())

type Sent = { email?: string; password?: string; peer?: string; cookie?: string; forwardedFor?: string }

const signIn = ({
  email = 'ada@test.local',
  password = PASSWORD,
  peer = '203.0.113.7',
  ...sent
}: Sent = {}) =>
  auth.handler(
    new Request(`${ORIGIN}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: ORIGIN,
        [PEER_HEADER]: peer,
        [FORWARDED_HEADER]: sent.forwardedFor === undefined ? '0' : '1',
        ...(sent.forwardedFor === undefined ? {} : { 'x-forwarded-for': sent.forwardedFor }),
        ...(sent.cookie === undefined ? {} : { cookie: sent.cookie }),
      },
      body: JSON.stringify({ email, password }),
    }),
  )
const statusOf = async (sent: Sent) => (await signIn(sent)).status
const wrong = { password: 'wrong but long' }
const deviceOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith('idemscope_device'))
    ?.split(';')[0] ?? ''
/** Counts as so many attempts that were made before, without their hashes. */
const fill = async (sent: Sent, count: number) => {
  await signIn({ ...wrong, ...sent })
  await console.db.pool.query('UPDATE attempt_count SET count = $1', [count])
}

/** How many passwords are hashed meanwhile, whatever for: each is an scrypt. */
async function hashesOf(work: () => Promise<unknown>): Promise<number> {
  const scrypt = vi.spyOn(crypto, 'scrypt')
  syncBuiltinESMExports()
  try {
    await work()
    return scrypt.mock.calls.length
  } finally {
    scrypt.mockRestore()
    syncBuiltinESMExports()
  }
}

test('a stranger who guesses keeps nobody else out of the account', async () => {
  for (let n = 0; n < 10; n++) expect(await statusOf(wrong)).toBe(401)
  const refused = await signIn(wrong)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await statusOf({})).toBe(429)
  expect(await statusOf({ peer: '198.51.100.9' })).toBe(200)
  clock.advance(5 * MINUTE_MS)
  expect(await statusOf({})).toBe(200)
})

test('the address that a client claims is not believed', async () => {
  for (let n = 0; n < 10; n++) expect(await statusOf({ ...wrong, forwardedFor: `10.0.0.${n}` })).toBe(401)
  expect(await statusOf({ ...wrong, forwardedFor: '10.0.0.99' })).toBe(429)
})

test('one address tries 30 times in five minutes, whatever names it tries', async () => {
  await fill({ email: 'nobody1@test.local' }, 30)
  await console.db.prisma.attemptCount.deleteMany({ where: { key: { startsWith: 'account' } } })
  expect(await statusOf({ ...wrong, email: 'nobody2@test.local' })).toBe(429)
  expect(await statusOf({ ...wrong, email: 'nobody2@test.local', peer: '198.51.100.9' })).toBe(401)
})

test('guesses from everywhere are slowed down, and a device that signed in before is not kept out', async () => {
  const device = deviceOf(await signIn())
  expect(device).not.toBe('')
  await fill({}, 50)
  await console.db.prisma.attemptCount.deleteMany({
    where: { key: { startsWith: 'a', not: { startsWith: 'account:' } } },
  })
  // One guess in half a minute, whoever makes it.
  expect(await statusOf({ ...wrong, peer: '198.51.100.1' })).toBe(401)
  const hashes = await hashesOf(async () => {
    expect(await statusOf({ ...wrong, peer: '198.51.101.1' })).toBe(429)
    expect(await statusOf({ peer: '198.51.102.1' })).toBe(429)
  })
  expect(hashes).toBe(0)
  expect(await statusOf({ peer: '198.51.102.1', cookie: device })).toBe(200)
})

test('a device cookie is of one account, made by us, and is no way to guess without end', async () => {
  const device = deviceOf(await signIn())
  const forged = device.replace(/\.[0-9a-f]{4}/, '.0000')
  for (let n = 0; n < 10; n++) expect(await statusOf({ ...wrong, cookie: device })).toBe(401)
  expect(await statusOf({ cookie: device })).toBe(429)
  // Not believed: it is a stranger, who may still try.
  expect(await statusOf({ cookie: forged })).toBe(200)
  await ensureUser(console.db, clock, {
    email: 'bob@test.local',
    name: 'Bob',
    role: 'viewer',
    password: PASSWORD,
  })
  await fill({ email: 'bob@test.local' }, 99)
  expect(await statusOf({ email: 'bob@test.local', cookie: device })).toBe(429)
})

test('what succeeds is no attempt', async () => {
  for (let n = 0; n < 12; n++) expect(await statusOf({})).toBe(200)
  const rows = await console.db.prisma.attemptCount.findMany()
  expect(rows.map(({ count }) => count)).toEqual([0, 0, 0])
})

test('rows of attempts go when their time is over', async () => {
  await console.db.pool.query(
    `INSERT INTO attempt_count SELECT 'account:' || n, 1, $1 FROM generate_series(1, 60) n`,
    [clock.now()],
  )
  clock.advance(1)
  for (let n = 0; n < 3; n++) await signIn({ ...wrong, email: `gone${n}@test.local` })
  expect(
    await console.db.prisma.attemptCount.count({ where: { key: { in: ['account:1', 'account:60'] } } }),
  ).toBe(0)
  expect(await console.db.prisma.attemptCount.count()).toBeLessThan(12)
})

test.each(['who@test.local', 'ada@test.local'])(
  'an unknown name costs a hash like a known one, after the same limits: %s',
  async (email) => {
    for (let n = 0; n < 10; n++) {
      const hashes = await hashesOf(async () => expect(await statusOf({ ...wrong, email })).toBe(401))
      expect(hashes).toBe(1)
    }
    const refused = await hashesOf(async () => expect(await statusOf({ ...wrong, email })).toBe(429))
    expect(refused).toBe(0)
  },
)

test('a form is no way round the limits', async () => {
  const sessions = await console.db.prisma.session.count()
  const form = () =>
    auth.handler(
      new Request(`${ORIGIN}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: ORIGIN },
        body: new URLSearchParams({ email: 'ada@test.local', password: PASSWORD }),
      }),
    )
  expect(await hashesOf(async () => expect((await form()).status).toBe(400))).toBe(0)
  expect(await console.db.prisma.session.count()).toBe(sessions)
})

test('one address that tries many names leaves as many rows as attempts that it may make', async () => {
  await fill({ email: 'first@test.local' }, 30)
  const hashes = await hashesOf(async () => {
    for (let n = 0; n < 10; n++) expect(await statusOf({ ...wrong, email: `name${n}@test.local` })).toBe(429)
  })
  expect(hashes).toBe(0)
  expect(await console.db.prisma.attemptCount.count()).toBe(3)
})

test('a request that is larger than any sign-in, or none at all, is refused without a hash', async () => {
  const hashes = await hashesOf(async () => {
    expect(await statusOf({ password: 'x'.repeat(20_000) })).toBe(413)
    expect(await statusOf({ email: 'x'.repeat(400) })).toBe(400)
  })
  expect(hashes).toBe(0)
  expect(await console.db.prisma.attemptCount.count()).toBe(0)
})

test('hashes at once are bounded, and who comes while too many wait is told to come back', async () => {
  const lane = new Lane(2, 3)
  let running = 0
  let most = 0
  const release: (() => void)[] = []
  const work = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise<void>((done) => release.push(done))
    running -= 1
  }
  const all = Array.from({ length: 6 }, () => lane.run(work))
  const ends = Promise.allSettled(all)
  await expect(all[5]).rejects.toMatchObject({ code: 'unavailable' })
  while (release.length > 0) {
    release.shift()?.()
    await new Promise((done) => setImmediate(done))
  }
  expect((await ends).filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
  expect(most).toBe(2)
  await expect(lane.run(async () => 'free again')).resolves.toBe('free again')
})

test.each([
  ['no proxy', '203.0.113.7', undefined, '203.0.113.7'],
  ['a claim from outside', '203.0.113.7', '1.1.1.1', '203.0.113.7'],
  ['one trusted proxy', '10.1.0.1', '198.51.100.4', '198.51.100.4'],
  ['what the client wrote before it', '10.1.0.1', '1.1.1.1, 198.51.100.4', '198.51.100.4'],
  ['two trusted proxies', '10.1.0.1', '1.1.1.1, 198.51.100.4, 10.1.0.2', '198.51.100.4'],
  ['trusted proxies only', '10.1.0.1', '10.1.0.2', '10.1.0.2'],
  ['nonsense', '10.1.0.1', 'unknown', null],
  ['IPv4 in IPv6', '::ffff:10.1.0.1', '::ffff:198.51.100.4', '198.51.100.4'],
  ['no socket', '', '1.1.1.1', null],
])('the client behind %s', (_, peer, forwardedFor, client) => {
  const headers = new Headers({
    [PEER_HEADER]: peer,
    [FORWARDED_HEADER]: forwardedFor === undefined ? '0' : '1',
  })
  if (forwardedFor !== undefined) headers.set('x-forwarded-for', forwardedFor)
  expect(clientAddress(headers, ['10.1.0.0/16'])).toBe(client)
})

test('of IPv6 a whole /64 is one sender', () => {
  expect(addressBucket('2001:db8:1:2:3:4:5:6')).toBe(addressBucket('2001:db8:1:2::9'))
  expect(addressBucket('2001:db8:1:2::9')).not.toBe(addressBucket('2001:db8:1:3::9'))
  expect(addressBucket('2001:db8::1')).toBe(addressBucket('2001:db8:0:0:ffff::'))
  expect(addressBucket('::1')).toBe('0:0:0:0')
  expect(addressBucket('203.0.113.7')).not.toBe(addressBucket('203.0.113.8'))
})

test.each([
  ['http://localhost:3000', false],
  ['https://idemscope.example.com', true],
])(
  'cookies of %s are for this site alone, out of scripts’ reach, and Secure: %s',
  async (baseUrl, secure) => {
    const own = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl })
    const answer = await own.handler(
      new Request(`${baseUrl}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: baseUrl },
        body: JSON.stringify({ email: 'ada@test.local', password: PASSWORD }),
      }),
    )
    const cookies = answer.headers.getSetCookie()
    expect(cookies).toHaveLength(2)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/HttpOnly/i)
      expect(cookie).toMatch(/SameSite=(Lax|Strict)/i)
      expect(/; Secure/i.test(cookie)).toBe(secure)
    }
  },
)

test('each sign-in is a session of its own: one that was planted before is not raised to it', async () => {
  const planted = 'better-auth.session_token=planted.planted'
  const answer = await signIn({ cookie: planted })
  const session = answer.headers.getSetCookie().find((cookie) => cookie.includes('session_token'))
  expect(session).toBeDefined()
  expect(session).not.toContain('planted')
})
