import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Scripted = 'broken' | { status: number; headers?: Record<string, string>; body?: string }

/** Answers what it is told, one after the other; the last one again and again. */
export async function startScripted(answers: Scripted[]) {
  const seen: { method: string; key: string | undefined; headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', headers } = request
    seen.push({
      method,
      key: headers['idempotency-key']?.toString(),
      headers,
      body: Buffer.concat(chunks).toString(),
    })
    const answer = answers[Math.min(seen.length, answers.length) - 1] ?? 'broken'
    if (answer === 'broken') return void request.socket.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.body ?? '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/payments`,
    seen,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

export const problem = (status: number, kind: string, headers: Record<string, string> = {}): Scripted => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: `urn:idemscope:problem:${kind}`, detail: `it is ${kind}` }),
})
