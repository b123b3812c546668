import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

// biome-ignore lint/suspicious/noExplicitAny: the test reads JSON as a receiver would, without our types.
export type Received = { headers: IncomingMessage['headers']; path: string; body: any }
type Answer = { status: number; body?: string; headers?: Record<string, string> }

/** A real receiver on this machine, which keeps what it was sent and answers as it is told to. */
export async function startWebhook() {
  const received: Received[] = []
  let answer: Answer = { status: 200, body: 'ok' }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      received.push({ headers: request.headers, path: request.url ?? '', body: JSON.parse(text) })
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook/s3cret`,
    host: `127.0.0.1:${port}`,
    received,
    answers(next: Answer) {
      answer = next
    },
    close: () =>
      new Promise<void>((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}
