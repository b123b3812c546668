import { randomUUID } from 'node:crypto'
import { installServices, type Services } from '@/app/_server/services'
import { GET, POST } from '@/app/api/v1/[...path]/route'
import { mintToken } from '@/lib/access/tokens'
import { ensureUser } from '@/lib/access/users'
import { systemClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import type { Db } from '@/lib/db'
import { parseEnv } from '@/lib/env'
import { silentLog } from '@/lib/log'
import { createQueue, queueName } from '@/lib/queue'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createTestDatabase } from '../support/database'

// biome-ignore lint/suspicious/noExplicitAny: a test reads the API's JSON as any outsider would, without our types.
type Json = any
export type Answer = { status: number; headers: Headers; body: Json }

export const ORIGIN = 'http://localhost:3000'
export const REASON = 'a reason that is long enough'
export const PASSWORD = 'correct horse battery'

export type Console = {
  app: Services
  db: Db
  tokens: { viewer: string; operator: string }
  /** Session cookies of people. */
  cookies: { operator: string; approver: string; admin: string }
  close(): Promise<void>
}

/** A console on a database of its own; its route handlers are called as Next calls them. */
export async function createConsole(settings: Record<string, string> = {}): Promise<Console> {
  const { url, db, close } = await createTestDatabase()
  await createPostgresStore({ pool: db.pool, schema: 'idem' }).migrate()
  const queue = createQueue(url, { worker: true })
  await queue.boss.start()
  for (const kind of ['reconciliation', 'collection'] as const) await queue.boss.createQueue(queueName(kind))
  const app = installServices({
    settings: parseEnv({
      DATABASE_URL: url,
      IDEMSCOPE_AUTH_SECRET: 'a'.repeat(32),
      IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
      ...settings,
    }),
    db,
    clock: systemClock,
    log: silentLog,
    queue,
  })
  const token = async (role: 'viewer' | 'operator') =>
    (await mintToken(db, systemClock, { role, name: `${role} token` })).token
  return {
    app,
    db,
    tokens: { viewer: await token('viewer'), operator: await token('operator') },
    cookies: {
      operator: await signIn(app, 'operator'),
      approver: await signIn(app, 'approver'),
      admin: await signIn(app, 'admin'),
    },
    async close() {
      const { store } = await app.ownStore()
      store.close()
      await Promise.all([app.live.close(), queue.boss.stop({ graceful: false })])
      await close()
    },
  }
}

async function signIn(app: Services, role: Role): Promise<string> {
  const email = `${role}@example.com`
  await ensureUser(app.db, systemClock, { email, name: role, role, password: PASSWORD })
  const answer = await app.auth.handler(
    new Request(`${ORIGIN}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: ORIGIN },
      body: JSON.stringify({ email, password: PASSWORD }),
    }),
  )
  if (!answer.ok) throw new Error(`sign-in: ${answer.status}`)
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
export const session = (cookie: string): Record<string, string> => ({ cookie, origin: ORIGIN })

export const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  call(GET, new Request(`${ORIGIN}/api/v1/${path}`, { headers }))

/** `Idempotency-Key` is made unless given; null sends none. */
export const post = (
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  key: string | null = `"${randomUUID()}"`,
): Promise<Answer> =>
  call(
    POST,
    new Request(`${ORIGIN}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === null ? {} : { 'idempotency-key': key }),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )

async function call(handler: typeof GET, request: Request): Promise<Answer> {
  const path = new URL(request.url).pathname.replace('/api/v1/', '').split('/')
  const response = await handler(request, { params: Promise.resolve({ path }) })
  return { status: response.status, headers: response.headers, body: await response.json() }
}
