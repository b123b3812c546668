import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stampRequests } from '@/app/_server/stamp-requests'
import { FORWARDED_HEADER, PEER_HEADER } from '@/lib/access/sign-in/client-address'

/** What a route would see, on a real server. */
let seen: IncomingHttpHeaders = {}
const server = createServer((request, response) => {
  seen = { ...request.headers }
  response.end()
})
beforeAll(async () => {
  stampRequests('https://idemscope.example.com')
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
afterAll(() => {
  server.close()
})

const ask = (headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers })

test('each request says by which socket it came, whatever its client wrote there', async () => {
  await ask({ [PEER_HEADER]: '10.9.9.9', [FORWARDED_HEADER]: '0', 'x-forwarded-for': '1.1.1.1' })
  expect(seen).toMatchObject({ [PEER_HEADER]: '127.0.0.1', [FORWARDED_HEADER]: '1' })
  await ask()
  expect(seen).toMatchObject({ [PEER_HEADER]: '127.0.0.1', [FORWARDED_HEADER]: '0' })
})

test.each(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'])(
  'a request with %s came through a proxy',
  async (name) => {
    await ask({ [name]: 'x' })
    expect(seen[FORWARDED_HEADER]).toBe('1')
  },
)

test('every answer of a console with a public https URL says that it is https for good', async () => {
  expect((await ask()).headers.get('strict-transport-security')).toBe('max-age=31536000')
})
