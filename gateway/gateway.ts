import type { IncomingMessage, ServerResponse } from 'node:http'
import { context, type Span } from '@opentelemetry/api'
import type { Clock } from '@/sdk/clock'
import { UnsettledEffectError } from '@/sdk/errors'
import { scopeName } from '@/sdk/keys/scope'
import { isSafeMethod } from '@/sdk/requests/safe-methods'
import { findHold, heldResponse } from '@/sdk/run/holds'
import { findRoute } from './find-route'
import { type KeyedRequest, toKeyedRequest } from './keyed-request'
import { passThrough } from './pass'
import { gatewayProblem, problemResponse } from './problem'
import { readTarget } from './routes/target'
import { type RequestSpans, spanContextOf } from './telemetry/request-spans'
import { AnswerLostError, NotSentError, StillUnknownError } from './upstream/errors'
import type { Exchange } from './upstream/forward'
import { headerValues } from './upstream/headers'
import type { Route, World } from './world'
import { writeAnswer } from './write-answer'

export type GatewayDeps = {
  clock: Clock
  spans: RequestSpans
  isDraining(): boolean
  /** More requests than it may serve, this one among them. */
  isFull(): boolean
  onError(error: unknown): void
  onServed(world: World): void
}

/** An operator or a probe has to settle it first. */
const UNKNOWN_RETRY_S = 30

/** Serves one request by the world that is there when it comes. Never throws. */
export async function serve(
  deps: GatewayDeps,
  world: World,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expectsContinue: boolean,
): Promise<void> {
  world.users += 1
  outgoing.on('error', () => {})
  try {
    await serveRouted(deps, world, incoming, outgoing, expectsContinue)
  } catch (error) {
    outgoing.destroy()
    deps.onError(error)
  } finally {
    world.users -= 1
    deps.onServed(world)
  }
}

async function serveRouted(
  deps: GatewayDeps,
  world: World,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expectsContinue: boolean,
): Promise<void> {
  const write = (answer: Response) => {
    if (deps.isDraining()) outgoing.shouldKeepAlive = false
    return writeAnswer(answer, outgoing, incoming)
  }
  const target = readTarget(incoming)
  // Who sends what can be read in two ways may have hidden more behind it.
  if ('problem' in target) outgoing.shouldKeepAlive = false
  const found = deps.isFull()
    ? { problem: gatewayProblem('overloaded', { retryAfterS: 1 }) }
    : 'problem' in target
      ? target
      : findRoute(world, target)
  const route = 'route' in found ? found.route : null
  const caller = route === null ? null : await findCaller(route, incoming)
  const refused = 'problem' in found ? found.problem : caller instanceof Response ? caller : null
  if (refused !== null || route === null || caller instanceof Response || 'problem' in target) {
    await deps.spans.trace(incoming, route?.path ?? null, async () => {
      const answer = refused ?? gatewayProblem('noRoute')
      await write(answer)
      return answer.status
    })
    return
  }
  const { upstream, config } = route
  const forwarding = {
    isTrusted: world.isTrusted(incoming.socket.remoteAddress),
    host: target.host,
    upstreamHost: upstream.host,
    callerHeaders: world.callerHeaders,
  }
  const receivedAtMs = deps.clock.nowMs()
  const exchange: Exchange = {
    incoming,
    path: target.pathWithQuery,
    caller: caller ?? '',
    forwarding,
    receivedAtMs,
  }
  const isWelcome = !(Number(incoming.headers['content-length']) > config.requestBytes)
  const sendContinue = () => {
    if (expectsContinue && isWelcome) outgoing.writeContinue()
  }
  if (isKeyed(route, incoming)) {
    sendContinue()
    // The SDK traces it.
    await write(await serveKeyed(deps, route, exchange))
    return
  }
  await deps.spans.trace(incoming, route.path, async (span) => {
    const answer =
      (await holdOn(route, target.method, caller, span)) ??
      (await context.with(spanContextOf(span), () => {
        sendContinue()
        return passThrough(
          {
            upstream,
            deadlineMs: config.deadline,
            requestBytes: config.requestBytes,
            isDraining: deps.isDraining,
          },
          exchange,
          outgoing,
        )
      }))
    if (typeof answer === 'number') return answer
    await write(answer)
    return answer.status
  })
}

async function findCaller({ caller }: Route, incoming: IncomingMessage): Promise<string | Response | null> {
  if (caller === null) return null
  const found = await caller(incoming)
  if (found.kind === 'caller') return found.caller
  if (found.kind === 'unverifiable') return gatewayProblem('callerUnverifiable', { retryAfterS: 1 })
  const answer = gatewayProblem('callerMissing', {
    detail: `Who makes the request is not known: ${found.why}.`,
  })
  answer.headers.set('www-authenticate', 'Bearer')
  return answer
}

/** One that has no key, though it should, is refused like one that has. */
const isKeyed = ({ serveKeyed, config }: Route, incoming: IncomingMessage): boolean =>
  serveKeyed !== null &&
  !isSafeMethod(incoming.method ?? '') &&
  (config.key === 'required' || headerValues(incoming, 'idempotency-key').length > 0)

async function serveKeyed(deps: GatewayDeps, route: Route, exchange: Exchange): Promise<Response> {
  let request: KeyedRequest
  try {
    request = toKeyedRequest(exchange.incoming)
  } catch {
    return problemResponse('malformed')
  }
  try {
    if (route.serveKeyed === null) throw new Error('the route has no keys')
    return await route.serveKeyed(request, exchange)
  } catch (error) {
    return answerThrown(deps, route, exchange, error)
  }
}

function answerThrown(
  deps: GatewayDeps,
  { config }: Route,
  { incoming }: Exchange,
  error: unknown,
): Response {
  if (error instanceof NotSentError) return gatewayProblem('notSent', { retryAfterS: 1 })
  if (error instanceof AnswerLostError) {
    const timedOut = error.facts.timedOut === true
    if (config.whenUnknown === 'keep')
      return gatewayProblem(timedOut ? 'outcomeUnknownTimeout' : 'outcomeUnknown')
    const detail =
      'The service gave no whole answer. Retry with the same Idempotency-Key: it is executed once.'
    return gatewayProblem(timedOut ? 'answerLate' : 'answerLost', { detail, retryAfterS: 1 })
  }
  if (error instanceof StillUnknownError || error instanceof UnsettledEffectError)
    return problemResponse('unknownOutcome', { retryAfterS: UNKNOWN_RETRY_S })
  // The client went away while it was sending: nobody hears.
  if (incoming.destroyed && !incoming.complete) return problemResponse('internal')
  deps.onError(error)
  return problemResponse('internal')
}

/** A hold on the route stops what changes something without a key, too. */
async function holdOn(
  route: Route,
  method: string,
  caller: string | null,
  span: Span,
): Promise<Response | null> {
  if (route.store === null || caller === null) return null
  const scope = scopeName(method, { caller, route: route.path })
  span.setAttributes({ 'idempotency.scope.name': scope, 'idempotency.store.system': route.store.system })
  if (isSafeMethod(method)) return null
  const hold = await findHold(route.store, scope, null)
  return hold === null ? null : heldResponse(hold)
}
