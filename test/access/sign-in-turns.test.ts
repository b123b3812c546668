import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAuth } from '@/lib/access/auth'
import { networkOf, PEER_HEADER } from '@/lib/access/sign-in/client-address'
import { strangers } from '@/lib/access/sign-in/hashing'
import { returnTurn, takeTurn } from '@/lib/access/sign-in/turns'
import { ensureUser } from '@/lib/access/users'
import { manualClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

/** An account that many guess at: whoever has to come from a new device waits, and gets in. */

const ORIGIN = 'http://localhost:3000'
const EMAIL = 'ada@test.local'
const PASSWORD = 'correct horse battery'
const TURN_MS = 30_000
const MINUTE_MS = 60_000
const strangersAt = (n: number) => `203.0.${n}.7`
const HONEST = '198.51.100.9'

let console: TestDatabase
let auth: ReturnType<typeof createAuth>
const clock = manualClock('2026-01-01T00:00:00Z')
beforeAll(async () => {
  console = await createTestDatabase()
  auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: ORIGIN })
  await ensureUser(console.db, clock, { email: EMAIL, name: 'Ada', role: 'approver', password: PASSWORD })
})
afterAll(() => console.close())
/** Fifty were tried already; the addresses that tried them are others. */
beforeEach(async () => {
  await console.db.prisma.attemptCount.deleteMany()
  await signIn(strangersAt(0), 'wrong but long')
  await console.db.pool.query(
    `UPDATE attempt_count SET count = 50, ends_at = $1 WHERE key LIKE 'account:%'`,
    [new Date(clock.now().getTime() + 60 * MINUTE_MS)],
  )
})

const signIn = (peer: string, password = PASSWORD) =>
  auth.handler(
    new Request(`${ORIGIN}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: ORIGIN, [PEER_HEADER]: peer },
      body: JSON.stringify({ email: EMAIL, password }),
    }),
  )
const statusOf = async (peer: string, password?: string) => (await signIn(peer, password)).status
const asking = (address: string) => ({ email: EMAIL, network: networkOf(address) })
const turnOf = (address: string) => takeTurn({ db: console.db, clock }, asking(address))

test('strangers who try at every moment hold up a person by a turn each, and no longer', async () => {
  const others = [1, 2, 3].map(strangersAt)
  const guess = () => Promise.all(others.map((peer) => statusOf(peer, 'wrong but long')))
  await guess()
  const first = await signIn(HONEST)
  const waitS = Number(first.headers.get('retry-after'))
  expect([first.status, waitS <= (others.length * TURN_MS) / 1000]).toEqual([429, true])
  expect(await first.json()).toMatchObject({ message: expect.stringContaining('Your turn comes') })
  for (let waited = 0; waited < waitS; waited += 30) {
    clock.advance(TURN_MS)
    // They are always the first.
    await guess()
  }
  expect(await statusOf(HONEST)).toBe(200)
})

test('one is tried in half a minute, however many there are', async () => {
  let tried = 0
  for (let seconds = 0; seconds < 20 * 60; seconds += 10) {
    for (const peer of [1, 2, 3, 4, 5].map(strangersAt)) if ((await turnOf(peer)) === null) tried += 1
    clock.advance(10_000)
  }
  expect(tried).toBeGreaterThan(35)
  expect(tried).toBeLessThanOrEqual(40)
})

test('a network has one place, however many of its addresses ask, and at the same time', async () => {
  await turnOf(strangersAt(1))
  const waits = await Promise.all(Array.from({ length: 20 }, (_, n) => turnOf(`203.0.2.${n + 1}`)))
  expect(new Set(waits)).toEqual(new Set([TURN_MS]))
  expect(await turnOf(HONEST)).toBe(2 * TURN_MS)
  // Asking again costs no place.
  clock.advance(10_000)
  expect(await turnOf(HONEST)).toBe(2 * TURN_MS - 10_000)
})

test('a turn is kept for ten minutes', async () => {
  await turnOf(strangersAt(1))
  for (const lateMs of [10 * MINUTE_MS - 1_000, 10 * MINUTE_MS]) {
    const waitMs = (await turnOf(HONEST)) ?? 0
    expect(waitMs).toBeGreaterThan(0)
    clock.advance(waitMs + lateMs)
    // Who lost it has to wait again where somebody else was faster.
    await turnOf(strangersAt(2))
    const itsTurn = (await turnOf(HONEST)) === null
    expect(itsTurn).toBe(lateMs < 10 * MINUTE_MS)
  }
})

test('who could not be tried, since too many are, keeps the turn', async () => {
  let open = () => {}
  const opened = new Promise<void>((done) => {
    open = done
  })
  // All places to hash and to wait for it are taken.
  const busy = Array.from({ length: 18 }, () => strangers.run(() => opened))
  expect(await statusOf(HONEST)).toBe(503)
  open()
  await Promise.all(busy)
  await turnOf(strangersAt(1))
  expect(await statusOf(HONEST)).toBe(200)
})

test('a turn that is returned is there at once', async () => {
  await turnOf(strangersAt(1))
  await returnTurn({ db: console.db, clock }, asking(HONEST))
  expect(await turnOf(HONEST)).toBeNull()
  expect(await turnOf(HONEST)).not.toBeNull()
})

test.each([
  ['203.0.113.7', '203.0.113'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1'],
  ['2001:db8::1', '2001:db8:0'],
  ['::1', '0:0:0'],
  [null, 'unknown'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
