import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toCaller } from '@/gateway/callers/caller-found'
import {
  createStoreFixture,
  pay,
  problemOf,
  type RunningGateway,
  runGateway,
  type Settings,
  type StoreFixture,
  settingsFor,
} from './gateway-fixture'
import { type SocketUpstream, startSocketUpstream } from './socket-upstream'

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

/** An issuer that publishes its keys, and may be down. */
async function startIssuer() {
  const published: JWK[] = []
  const keys = new Map<string, SigningKey>()
  let reads = 0
  let isDown = false
  const server = createServer((_, response) => {
    reads += 1
    if (isDown) response.socket?.destroy()
    else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    reads: () => reads,
    setDown: (down: boolean) => {
      isDown = down
    },
    /** The only one from now on. */
    async rotate(kid: string) {
      const { publicKey, privateKey } = await generateKeyPair('ES256')
      published.splice(0, published.length, {
        ...(await exportJWK(publicKey)),
        kid,
        alg: 'ES256',
        use: 'sig',
      })
      keys.set(kid, privateKey)
    },
    sign(
      kid: string,
      {
        claims = { sub: 'acme' } as Record<string, unknown>,
        audience = 'payments',
        expires = '5m',
        from = issuer,
      } = {},
    ) {
      const key = keys.get(kid)
      if (key === undefined) throw new Error(`no key ${kid}`)
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(from)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(key)
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

let fixture: StoreFixture
let upstream: SocketUpstream
let issuer: Awaited<ReturnType<typeof startIssuer>>

beforeAll(async () => {
  fixture = await createStoreFixture()
  upstream = await startSocketUpstream()
  issuer = await startIssuer()
  await issuer.rotate('first')
})
afterAll(async () => {
  await issuer.close()
  await upstream.close()
  await fixture.close()
})

const withCaller = (caller: Settings, more: Settings = {}) =>
  runGateway(settingsFor(fixture, upstream.url, {}, { callers: { web: caller }, ...more }))

const jwt = () => ({ jwt: { jwks: `${issuer.issuer}/keys`, issuer: issuer.issuer, audience: 'payments' } })

const scopesOf = async (key: string) =>
  (
    await fixture.query<{ name: string }>(
      'SELECT s.name FROM idem_record r JOIN idem_scope s USING (scope_id) WHERE r.key = idem_key_bytes($1) ORDER BY 1',
      [key],
    )
  ).map(({ name }) => name)

const asBearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

test('the claim of a verified token is the caller: each has keys of its own', async () => {
  const gateway = await withCaller(jwt())
  const key = randomUUID()
  for (const sub of ['acme', 'auth0|a b/c'])
    expect((await pay(gateway, key, asBearer(await issuer.sign('first', { claims: { sub } })))).status).toBe(
      201,
    )
  expect(await scopesOf(key)).toEqual(['acme/POST /v1/payments', 'auth0|a%20b%2Fc/POST /v1/payments'])
  await gateway.stop()
})

test('a token that does not hold is refused, and nothing is sent', async () => {
  const gateway = await withCaller(jwt())
  const before = upstream.received.length
  const other = await startIssuer()
  await other.rotate('first')
  const tokens = {
    none: '',
    expired: await issuer.sign('first', { expires: '-1m' }),
    'of another audience': await issuer.sign('first', { audience: 'ledger' }),
    'of another issuer': await issuer.sign('first', { from: 'https://elsewhere' }),
    'without the claim': await issuer.sign('first', { claims: {} }),
    'signed by another': await other.sign('first', { from: issuer.issuer }),
    unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ sub: 'acme', iss: issuer.issuer, aud: 'payments', exp: 9e9 })).toString('base64url')}.`,
  }
  for (const [what, token] of Object.entries(tokens)) {
    const answer = await pay(gateway, randomUUID(), token === '' ? {} : asBearer(token))
    expect([what, answer.status, await problemOf(answer)]).toEqual([what, 401, 'caller-missing'])
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  }
  expect(upstream.received).toHaveLength(before)
  await other.close()
  await gateway.stop()
})

test('follows the issuer to new keys; unknown ones do not make it ask for each request', async () => {
  const gateway = await withCaller(jwt())
  expect((await pay(gateway, randomUUID(), asBearer(await issuer.sign('first')))).status).toBe(201)
  const old = await issuer.sign('first')
  const reads = issuer.reads()
  await issuer.rotate('second')
  // Within the pause after a read, the new key is not asked for yet.
  await expect
    .poll(async () => (await pay(gateway, randomUUID(), asBearer(await issuer.sign('second')))).status, {
      interval: 200,
    })
    .toBe(201)
  expect(issuer.reads()).toBe(reads + 1)
  expect((await pay(gateway, randomUUID(), asBearer(old))).status).toBe(401)
  await gateway.stop()
})

test('an issuer that cannot be asked is trouble of ours', async () => {
  const gateway = await withCaller(jwt())
  issuer.setDown(true)
  const kid = 'second'
  const answer = await pay(gateway, randomUUID(), asBearer(await issuer.sign(kid)))
  expect([answer.status, await problemOf(answer), answer.headers.get('retry-after')]).toEqual([
    503,
    'caller-unverifiable',
    '1',
  ])
  issuer.setDown(false)
  await gateway.stop()
})

const TRUSTED = { trustedProxies: ['127.0.0.0/8'] }

async function scopeWith(gateway: RunningGateway, headers: Record<string, string>) {
  const key = randomUUID()
  const { status } = await pay(gateway, key, { headers })
  return status === 201 ? (await scopesOf(key))[0]?.replace('/POST /v1/payments', '') : status
}

test('a header is believed of trusted proxies only, and once', async () => {
  const caller = { header: 'X-Client' }
  const gateway = await withCaller(caller, TRUSTED)
  expect(await scopeWith(gateway, { 'x-client': 'acme' })).toBe('acme')
  expect(await scopeWith(gateway, {})).toBe(401)
  expect(await scopeWith(gateway, { 'x-client': 'a'.repeat(129) })).toBe(401)
  await gateway.stop()
  const stranger = await withCaller(caller, { trustedProxies: ['10.0.0.0/8'] })
  expect(await scopeWith(stranger, { 'x-client': 'acme' })).toBe(401)
  await stranger.stop()
})

test('a client certificate, as nginx and Envoy tell of it', async () => {
  const cases: [take: string, header: string, caller: string | number][] = [
    ['value', 'ab12', 'ab12'],
    ['cn', 'CN=acme,OU=pay,O=Acme', 'acme'],
    ['cn', '/O=Acme/CN=acme', 401],
    ['cn', 'CN=acme,CN=other', 401],
    ['cn', 'O=Acme', 401],
    ['cn', 'O=x\\,CN=other,CN=acme', 'acme'],
    // As nginx writes a name beyond ASCII: not the same as one of those letters.
    ['cn', 'CN=caf\\C3\\A9', 'café'],
    ['cn', 'CN=cafC3A9', 'cafC3A9'],
    ['cn', 'CN=\\C3', 401],
    ['cn', 'CN=#0c0461636d65', 401],
    ['cn', 'CN=\\#1', '#1'],
    ['xfcc-uri', 'By=spiffe://g;Hash=ab12;Subject="CN=acme";URI=spiffe://acme', 'spiffe:%2F%2Facme'],
    ['xfcc-hash', 'By=spiffe://g;Hash=ab12', 'ab12'],
    ['xfcc-subject', 'Hash=ab12;Subject="CN=acme;Hash=other"', 'CN=acme;Hash=other'],
    ['xfcc-hash', 'Hash=ab12,Hash=cd34', 401],
    ['xfcc-uri', 'Hash=ab12', 401],
  ]
  for (const [take, header, caller] of cases) {
    const gateway = await withCaller(
      { clientCertificate: { header: 'X-Cert', take, verified: { header: 'X-Verify', value: 'SUCCESS' } } },
      TRUSTED,
    )
    expect(
      await scopeWith(gateway, { 'x-cert': header, 'x-verify': 'SUCCESS' }),
      `${take} of ${header}`,
    ).toBe(caller)
    expect(await scopeWith(gateway, { 'x-cert': header, 'x-verify': 'FAILED' })).toBe(401)
    await gateway.stop()
  }
})

test('a name that stores cannot keep apart is none', () => {
  for (const name of ['a\0b', 'a\x7f', '\ud800', 'a\udc00'])
    expect([name, toCaller(name).kind]).toEqual([name, 'missing'])
  expect(toCaller('\u{1f600}').kind).toBe('caller')
})

test('two names never become one caller', () => {
  const callers = ['a/b', 'a%2Fb', 'a b', 'a%20b', 'a%252Fb'].map((name) => {
    const found = toCaller(name)
    return found.kind === 'caller' ? found.caller : found.why
  })
  expect(new Set(callers).size).toBe(5)
})
