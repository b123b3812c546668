import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { toNodeHandler } from '@/sdk/node'
import { createGate } from './support'

let server: Server | undefined
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())))

async function serve(
  handler: (request: Request) => Promise<Response> | Response,
  before?: (incoming: object) => void,
) {
  const errors: unknown[] = []
  const listener = toNodeHandler(handler, { onError: (error) => errors.push(error) })
  server = createServer((incoming, outgoing) => {
    before?.(incoming)
    void listener(incoming, outgoing)
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, errors }
}

it('carries method, path, headers and any body there and back', async () => {
  const { url } = await serve(async (request) => {
    const { pathname, search } = new URL(request.url)
    const headers = new Headers({
      'x-seen': `${request.method} ${pathname}${search} ${request.headers.get('x-a')}`,
    })
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    return new Response(await request.arrayBuffer(), { status: 202, headers })
  })
  const body = new Uint8Array(300_000).map((_, at) => at % 251)
  const response = await fetch(`${url}/a%20b?c=d`, { method: 'PUT', body, headers: { 'x-a': '1' } })
  expect(response.status).toBe(202)
  expect(response.headers.get('x-seen')).toBe('PUT /a%20b?c=d 1')
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(202)
})

it('takes what Express has parsed, at its original URL', async () => {
  const { url } = await serve(
    async (request) => Response.json([new URL(request.url).pathname, await request.json()]),
    (incoming) => Object.assign(incoming, { body: { parsed: true }, originalUrl: '/mounted/x' }),
  )
  expect(await (await fetch(`${url}/x`, { method: 'POST', body: '{}' })).json()).toEqual([
    '/mounted/x',
    { parsed: true },
  ])
})

it('never takes a path for another host', async () => {
  const { url } = await serve((request) => new Response(new URL(request.url).host))
  const { port } = new URL(url)
  const seen = await new Promise<string>((resolve, reject) => {
    const call = httpRequest({ port, host: '127.0.0.1', path: '//evil.test/x' }, (response) => {
      response.setEncoding('utf8').on('data', resolve)
    })
    call.on('error', reject).end()
  })
  expect(seen).toBe(`127.0.0.1:${port}`)
})

it('answers 500 for a throw and tells of it', async () => {
  const bug = new Error('bug')
  const { url, errors } = await serve(() => {
    throw bug
  })
  const response = await fetch(url)
  expect([response.status, response.headers.get('content-type')]).toEqual([500, 'application/problem+json'])
  expect(errors).toEqual([bug])
})

it('lets the handler finish when its client goes away', async () => {
  const started = createGate()
  const left = createGate()
  const finished = createGate<boolean>()
  const { url } = await serve(async (request) => {
    started.resolve()
    await left.promise
    finished.resolve(request.signal.aborted)
    return new Response('late')
  })
  const abort = new AbortController()
  const call = fetch(url, { signal: abort.signal }).catch(() => {})
  await started.promise
  abort.abort()
  await call
  left.resolve()
  expect(await finished.promise).toBe(false)
})
