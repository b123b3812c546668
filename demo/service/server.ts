import { createServer, type Server, type ServerResponse } from 'node:http'
import { toNodeHandler } from '../../sdk/node'
import { json, problem } from './answers'
import { type FaultPoints, faultHeader } from './fault-points'
import type { InFlight } from './in-flight'
import { matches, type Route } from './routes'
import { traced } from './traced'

export interface PaymentServerOptions {
  readonly routes: readonly Route[]
  /** Takes messages: their consumers trace them. */
  readonly receive: (request: Request) => Promise<Response>
  readonly points: FaultPoints
  readonly inFlight: InFlight
}

/** The HTTP server of the service. */
export function createPaymentServer({ routes, receive, points, inFlight }: PaymentServerOptions): Server {
  const handler = toNodeHandler((request) => inFlight.run(() => answer(routes, receive, request)))
  return createServer((request, response) => {
    const armed = new Headers({ [faultHeader]: String(request.headers[faultHeader] ?? '') })
    if (points.slips({ headers: armed }, 'drop-response')) dropAnswer(response)
    handler(request, response)
  })
}

async function answer(
  routes: readonly Route[],
  receive: PaymentServerOptions['receive'],
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/healthz') return json(200, { status: 'ok' })
  if (request.method === 'POST' && pathname.startsWith('/messages/')) return receive(request)
  const onPath = routes.filter((route) => matches(route.template, pathname))
  if (onPath.length === 0) return problem(404, 'No such route')
  const route = onPath.find(({ method }) => method === request.method)
  if (route === undefined) return problem(405, 'Method not allowed')
  return traced(request, route.method, route.template, () => route.handle(request))
}

/** The answer is made and stored, and is lost on its way to the client. */
function dropAnswer(response: ServerResponse): void {
  const drop = () => {
    response.destroy()
    return response
  }
  Object.assign(response, { writeHead: drop, write: drop, end: drop })
}
