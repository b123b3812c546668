import { forbidden, notFound, permanentRedirect, redirect, unauthorized } from 'next/navigation'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { IdempotencyContext } from '@/sdk/idempotent'
import { createStoreFixture, idempotentOn, leaseState, postJson, type StoreFixture } from './support'

let fixture: StoreFixture
let serial = 0
const newKey = () => `key-${++serial}`
const wrap = idempotentOn(() => fixture)
const ask = (key: string | null) => postJson({}, key === null ? {} : { 'idempotency-key': key })

beforeAll(async () => {
  // forbidden() and unauthorized() ask for it.
  vi.stubEnv('__NEXT_EXPERIMENTAL_AUTH_INTERRUPTS', 'true')
  fixture = await createStoreFixture()
  await fixture.query('CREATE TABLE booking (id text)')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await fixture.close()
})

/** As Hono's: an error that says how it is answered. */
class HTTPException extends Error {
  constructor(
    readonly status: number,
    readonly text: string,
  ) {
    super(text)
  }
  getResponse() {
    return new Response(this.text, { status: this.status })
  }
}

const throws = (thrown: () => unknown) => (): never => {
  throw thrown()
}

const THROWN: [name: string, stop: () => never, status: number, location: string | null, body: string][] = [
  ['redirect()', () => redirect('/orders/7;v=1?paid=true'), 307, '/orders/7;v=1?paid=true', ''],
  ['permanentRedirect()', () => permanentRedirect('https://service.test/'), 308, 'https://service.test/', ''],
  ['notFound()', notFound, 404, null, ''],
  ['forbidden()', forbidden, 403, null, ''],
  ['a Response', throws(() => new Response('gone', { status: 410 })), 410, null, 'gone'],
  [
    'a redirecting Response',
    throws(() => Response.redirect('https://a.test/', 303)),
    303,
    'https://a.test/',
    '',
  ],
  ['an HTTPException', throws(() => new HTTPException(418, 'teapot')), 418, null, 'teapot'],
]

type Context = IdempotencyContext<PoolClient>
const charge = (context: Context) =>
  context.effect('charge', { name: 'stripe.charge' }, async () => ({ reference: 'ch' }))

describe.each(THROWN)('%s', (_, stop, status, location, body) => {
  it.each([
    ['before any effect', async () => {}],
    ['after an effect', charge],
  ])('%s is the stored answer', async (_, before) => {
    const key = newKey()
    let executions = 0
    const handle = wrap(async (_request, context) => {
      executions += 1
      await before(context)
      return stop()
    })
    for (const replayed of [null, 'true']) {
      const response = await handle(ask(key))
      expect([response.status, response.headers.get('location'), await response.text()]).toEqual([
        status,
        location,
        body,
      ])
      expect(response.headers.get('idempotent-replayed')).toBe(replayed)
    }
    expect(executions).toBe(1)
  })

  it('is the answer of an unkeyed request, and of one whose caller is not known', async () => {
    const unkeyed = await wrap(stop, { required: false })(ask(null))
    expect([unkeyed.status, unkeyed.headers.get('location')]).toEqual([status, location])
    const refused = await wrap(() => new Response('never'), { scope: stop })(ask(newKey()))
    expect([refused.status, refused.headers.get('location')]).toEqual([status, location])
  })

  it.each(['keyed', 'unkeyed'])(
    'inside a transaction is its end: it commits what went well only, %s',
    async (kind) => {
      const key = newKey()
      let executions = 0
      let after = false
      const handle = wrap(
        async (_request, context) => {
          executions += 1
          await context.transaction(async (tx) => {
            await tx.query('INSERT INTO booking VALUES ($1)', [key])
            return stop()
          })
          after = true
          return new Response('not reached')
        },
        { required: false },
      )
      const asked = () => handle(ask(kind === 'keyed' ? key : null))
      const first = await asked()
      expect([first.status, first.headers.get('location'), await first.text()]).toEqual([
        status,
        location,
        body,
      ])
      expect(await fixture.query('SELECT FROM booking WHERE id = $1', [key])).toHaveLength(
        status < 400 ? 1 : 0,
      )
      if (kind === 'keyed') expect((await asked()).headers.get('idempotent-replayed')).toBe('true')
      expect([executions, after]).toEqual([1, false])
    },
  )
})

it('a thrown answer that is not stored gives the key back', async () => {
  const key = newKey()
  expect((await wrap(() => unauthorized())(ask(key))).status).toBe(401)
  expect(await leaseState(fixture, key)).toBeNull()
  expect((await wrap(() => new Response('done'))(ask(key))).status).toBe(200)
})

it.each([
  ['application/x-www-form-urlencoded', 'a=1'],
  ['multipart/form-data; boundary=b', '--b\r\n\r\n1\r\n--b--'],
])('redirect() after a form sends the browser on with GET, as Next does: %s', async (type, body) => {
  const headers = { 'content-type': type, 'idempotency-key': newKey() }
  const request = () => new Request('http://service.test/', { method: 'POST', body, headers })
  const handle = wrap(() => redirect('/thanks'))
  expect([(await handle(request())).status, (await handle(request())).status]).toEqual([303, 303])
})

it.each<[string, unknown]>([
  ['an error', new Error('bug')],
  [
    'an error of Next that is no answer',
    Object.assign(new Error('bail out'), { digest: 'DYNAMIC_SERVER_USAGE' }),
  ],
  ['a redirect with another status', Object.assign(new Error(), { digest: 'NEXT_REDIRECT;replace;/x;200;' })],
  ['a string', 'no'],
  ['nothing', undefined],
])('%s is thrown on, and its key may be tried again', async (_, thrown) => {
  const key = newKey()
  const handle = wrap(() => {
    throw thrown
  })
  await expect(handle(ask(key))).rejects.toBe(thrown)
  expect(await leaseState(fixture, key)).toBe('R')
})

function readAway(response: Response): boolean {
  void response.text()
  return false
}

it.each<[string, (response: Response) => unknown]>([
  ['throws', throws(() => new TypeError('bug'))],
  ['gives a promise, which would be taken for yes', async () => false],
  ['reads the answer away', readAway],
])('a notStored that %s counts as a throw', async (_, notStored) => {
  const key = newKey()
  const handle = wrap(() => new Response('done'), { notStored: notStored as (response: Response) => boolean })
  await expect(handle(ask(key))).rejects.toThrow()
  expect(await leaseState(fixture, key)).toBe('R')
})
