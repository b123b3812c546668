import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { cache } from 'react'
import { sessionActor } from '@/lib/access/session-actor'
import type { Context } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { ownOrigins } from './auth'
import { type Services, services } from './services'

type UserActor = Extract<Actor, { kind: 'user' }>
export type UserContext = Context & { actor: UserActor }
type TokenContext = Context & { actor: Extract<UserActor, { via: 'token' }> }

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const BEARER = /^Bearer +([\w.~+/=-]{1,512})$/i

/** Who asks: a token, or the session of a page of ours. Throws `unauthenticated`, or `forbidden` from another site. */
export async function requestContext(
  request: Request,
  requestId: string = newId('req'),
): Promise<UserContext> {
  const app = services()
  const actor = await authenticate(app, request)
  return makeContext(app, actor, requestId)
}

async function authenticate(app: Services, request: Request): Promise<UserActor> {
  const authorization = request.headers.get('authorization')
  if (authorization !== null) {
    const token = BEARER.exec(authorization)?.[1]
    const actor = token === undefined ? null : await app.verifyToken(token)
    if (actor !== null) return actor
    throw new AppError('unauthenticated', 'The token is unknown, revoked or expired.')
  }
  const actor = await sessionActor(app.auth, request.headers)
  if (actor === null) {
    throw new AppError('unauthenticated', 'Send `Authorization: Bearer <token>`, or sign in at /sign-in.')
  }
  if (!SAFE_METHODS.has(request.method)) assertSameOrigin(app, request)
  return actor
}

/** The same for programs only: a browser's session is not taken, so that no page can ask with it. */
export async function tokenContext(request: Request, requestId: string): Promise<TokenContext> {
  const ctx = request.headers.has('authorization') ? await requestContext(request, requestId) : null
  if (ctx?.actor.via !== 'token') {
    throw new AppError(
      'unauthenticated',
      'Send `Authorization: Bearer <token>`. Make a token under Settings, or with `npm run token -- --role viewer`.',
    )
  }
  return { ...ctx, actor: ctx.actor }
}

/** A browser sends a session's cookie for whoever asks it to; only our own pages may use it to change something. */
function assertSameOrigin(app: Services, request: Request): void {
  const origin = request.headers.get('origin')
  const site = request.headers.get('sec-fetch-site')
  const ours = origin !== null && ownOrigins(app.settings).includes(origin)
  if (ours && (site === null || site === 'same-origin')) return
  throw new AppError(
    'forbidden',
    'A session may change something from the console’s own pages only. Scripts use a token.',
    { meta: { reason: 'cross_site' } },
  )
}

/** For server components: the signed-in person, once a request. Goes to the sign-in page when there is nobody. */
export const pageContext = cache(async (): Promise<UserContext> => {
  const app = services()
  const actor = await sessionActor(app.auth, await headers())
  if (actor === null) redirect('/sign-in')
  return makeContext(app, actor, newId('req'))
})

/** The signed-in person, or null; for the sign-in page itself. */
export const signedIn = cache(
  async (): Promise<UserActor | null> => sessionActor(services().auth, await headers()),
)

function makeContext(app: Services, actor: UserActor, requestId: string): UserContext {
  const { db, clock, queue } = app
  return { db, clock, queue, log: app.log.child({ requestId, actor: actor.userId }), actor, requestId }
}
