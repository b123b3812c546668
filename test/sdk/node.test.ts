import { createServer, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { toNodeHandler } from '@/sdk/node'
import { createGate } from './support'

let server: Server | undefined
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())))

async function serve(handler: (request: Request) => Promise<Response> | Response) {
  const errors: unknown[] = []
  const listener = toNodeHandler(handler, { onError: (error) => errors.push(error) })
  server = createServer(listener)
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

it('answers 413 while the client is still sending', async () => {
  const { url } = await serve(async (request) => {
    const reader = request.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    return new Response('too large', { status: 413 })
  })
  const answer = createGate<string>()
  const call = httpRequest(url, { method: 'POST' }, (response) => {
    response.setEncoding('utf8').on('data', (text) => answer.resolve(`${response.statusCode} ${text}`))
  })
  call.on('error', (error) => answer.resolve(String(error)))
  call.write('the first of much')
  expect(await answer.promise).toBe('413 too large')
  call.destroy()
})

it('answers a request that it cannot read with 400, not as a failure of the handler', async () => {
  const { url, errors } = await serve(() => new Response('never'))
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  const answer = createGate<string>()
  socket.setEncoding('utf8').on('data', answer.resolve)
  expect(await answer.promise).toMatch(/^HTTP\/1.1 400 /)
  expect(errors).toEqual([])
})

it('sends no more than the client takes, and stops when it goes away', async () => {
  const stopped = createGate<number>()
  let sent = 0
  const { url, errors } = await serve(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(65_536))
            sent += 1
          },
          cancel: () => stopped.resolve(sent),
        }),
      ),
  )
  httpRequest(url, (response) => response.once('data', () => response.destroy())).end()
  // What fits into the buffers between server and client, of an answer without end.
  expect(await stopped.promise).toBeLessThan(500)
  expect(errors).toEqual([])
})

it('breaks the connection when the body breaks, and tells of it', async () => {
  const broken = new Error('broken')
  const { url, errors } = await serve(
    () => new Response(new ReadableStream({ pull: (controller) => controller.error(broken) })),
  )
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow()
  expect(errors).toEqual([broken])
})

it('is not told of a client that goes away while it is sending', async () => {
  const started = createGate()
  const failed = createGate<unknown>()
  const { url, errors } = await serve(async (request) => {
    started.resolve()
    return new Response(
      await request.text().catch((error: unknown) => {
        failed.resolve(error)
        throw error
      }),
    )
  })
  const call = httpRequest(url, { method: 'POST' }).on('error', () => {})
  call.write('the first of much')
  await started.promise
  call.destroy()
  expect(await failed.promise).toMatchObject({ code: 'ECONNRESET' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(errors).toEqual([])
})
