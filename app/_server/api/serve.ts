import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { parseIdempotencyKey } from '@/sdk/idempotency-key'
import { idempotent } from '@/sdk/idempotent'
import { requestContext, type UserContext } from '../context'
import { onceOptions } from '../once-options'
import { asKnownError, fileResponse, jsonResponse, problemResponse, respond } from '../respond'
import { services } from '../services'
import type { Answer, Route, RouteContext } from './route'
import { invalid, queryObject, validate } from './validate'

const BODY_BYTES_MAX = 262_144

/** Answers a request by its route. Every error becomes problem details with the request's id. */
export const serve = (route: Route, request: Request, params: Record<string, string>): Promise<Response> =>
  respond(request, async (requestId) => {
    const ctx: RouteContext = { ...(await requestContext(request, requestId)), request }
    if (route.method === 'GET') return toResponse(await answer(route, ctx, params, undefined))
    authorise(ctx, route.verb)
    if (!route.worksWhenWritesAreOff) await assertWritesEnabled(ctx.db)
    return serveOnce(route, ctx, params)
  })

async function answer(
  route: Route,
  ctx: RouteContext,
  params: Record<string, string>,
  body: unknown,
): Promise<Answer> {
  authorise(ctx, route.verb)
  const query = queryObject(new URL(ctx.request.url))
  if (route.query === undefined && Object.keys(query).length > 0) {
    const message = `${Object.keys(query).join(', ')}: this takes no parameters`
    throw invalid([{ in: 'query', name: 'query', message }])
  }
  return route.handle(ctx, {
    params: route.params === undefined ? undefined : validate(route.params, params, 'path'),
    query: route.query === undefined ? undefined : validate(route.query, query, 'query'),
    body: route.body === undefined || route.parsesItself ? body : validate(route.body, body, 'body'),
  })
}

/** One execution a key and principal, in the console's own store: the SDK used on itself. */
async function serveOnce(route: Route, ctx: RouteContext, params: Record<string, string>): Promise<Response> {
  assertKeyed(ctx.request)
  const app = services()
  const once = idempotent(
    async (request) => {
      try {
        return toResponse(await answer(route, ctx, params, await readJson(request)))
      } catch (error) {
        const known = asKnownError(error)
        // What the caller can mend is an answer; the rest is thrown on, and the same key may be tried again.
        if (known instanceof AppError && known.status < 500) return problemResponse(known, ctx.requestId)
        throw error
      }
    },
    {
      ...(await onceOptions(app)),
      ...(route.toldOnce ? { notStored: () => true } : {}),
      bodyBytesMax: BODY_BYTES_MAX,
      scope: () => scopeOf(route, ctx),
    },
  )
  return once(ctx.request)
}

const scopeOf = (route: Route, ctx: UserContext) => ({
  caller: ctx.actor.userId,
  route: `/api/v1/${route.path}`,
})

function assertKeyed(request: Request): void {
  const key = parseIdempotencyKey(request.headers.get('idempotency-key'))
  if (key.kind === 'key') return
  const why =
    key.kind === 'malformed' ? `The Idempotency-Key is not usable: ${key.reason}` : 'Every POST needs one'
  throw new AppError(
    'idempotency_key_missing',
    `${why}. Send a fresh UUID in quotes, and the same one again when you retry.`,
  )
}

async function readJson(request: Request): Promise<unknown> {
  const text = await request.text()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', 'The body is not JSON.', { cause })
  }
}

const toResponse = (given: Answer): Response =>
  'chunks' in given ? fileResponse(given) : jsonResponse(given.body, given.status)
