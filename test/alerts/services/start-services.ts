import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

const schemaOf = (name: string) =>
  z.fromJSONSchema(JSON.parse(readFileSync(`test/alerts/services/${name}.schema.json`, 'utf8')))
export const SCHEMAS = {
  slack: schemaOf('slack'),
  pagerduty: schemaOf('pagerduty'),
  opsgenie: schemaOf('opsgenie'),
  opsgenieVerb: schemaOf('opsgenie-verb'),
  alertmanager: schemaOf('alertmanager'),
}

// biome-ignore lint/suspicious/noExplicitAny: the test reads JSON as a service would, without our types.
export type Received = { path: string; headers: IncomingHttpHeaders; body: any }
type Answer = { status: number; body: string; headers?: Record<string, string> }

const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) })
const ROUTES: { path: RegExp; schema: z.ZodType; good: Answer; bad: (faults: string) => Answer }[] = [
  {
    path: /^\/services\//,
    schema: SCHEMAS.slack,
    good: { status: 200, body: 'ok' },
    bad: () => ({ status: 400, body: 'invalid_blocks' }),
  },
  {
    path: /^\/v2\/enqueue$/,
    schema: SCHEMAS.pagerduty,
    good: json(202, { status: 'success', message: 'Event processed' }),
    bad: (faults) => json(400, { status: 'invalid event', errors: [faults] }),
  },
  {
    path: /^\/jsm\/ops\/integration\/v2\/alerts$|^\/v2\/alerts$/,
    schema: SCHEMAS.opsgenie,
    good: json(202, { result: 'Request will be processed', took: 0.1, requestId: 'r-1' }),
    bad: (faults) => json(422, { message: faults }),
  },
  {
    path: /\/v2\/alerts\/[^/]+\/(acknowledge|close|notes)\?identifierType=alias$/,
    schema: SCHEMAS.opsgenieVerb,
    good: json(202, { result: 'Request will be processed', took: 0.1, requestId: 'r-2' }),
    bad: (faults) => json(422, { message: faults }),
  },
]

/** Slack, PagerDuty and Opsgenie on this machine: they refuse what does not fit their schema, as the real ones do. */
export async function startServices() {
  const received: Received[] = []
  const refused: string[] = []
  let next: Answer[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
      received.push({ path, headers: request.headers, body })
      const route = ROUTES.find((each) => each.path.test(path))
      const faults = route?.schema.safeParse(body).error?.message ?? null
      if (route === undefined || faults !== null) refused.push(`${path}: ${faults ?? 'no such route'}`)
      const answer = next.shift() ?? (faults === null ? route?.good : route?.bad(faults)) ?? json(404, {})
      response.writeHead(answer.status, answer.headers).end(answer.body)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    received,
    /** What did not fit, with its faults. */
    refused,
    /** What the next requests are answered, whatever they are. */
    answers(...answers: Answer[]) {
      next = answers
    },
    close: () =>
      new Promise<void>((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}
