import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { createAccessControl } from 'better-auth/plugins/access'
import { admin } from 'better-auth/plugins/admin'
import { adminAc, defaultStatements, userAc } from 'better-auth/plugins/admin/access'
import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { clearSignInFailures, countSignInAttempt } from './sign-in-limit'

const SESSION_S = 8 * 3600
const SESSION_REFRESH_S = 3600
const PASSWORD_CHARACTERS_MIN = 12

/**
 * What our own verbs do, with their check and their audit entry, is not offered a second time over HTTP: an admin who
 * could impersonate an approver would be four eyes alone.
 */
const DISABLED_PATHS = [
  '/sign-up/email',
  '/admin/set-role',
  '/admin/create-user',
  '/admin/update-user',
  '/admin/list-users',
  '/admin/get-user',
  '/admin/list-user-sessions',
  '/admin/ban-user',
  '/admin/unban-user',
  '/admin/impersonate-user',
  '/admin/stop-impersonating',
  '/admin/revoke-user-session',
  '/admin/revoke-user-sessions',
  '/admin/remove-user',
  '/admin/set-user-password',
  '/api-key/create',
  '/api-key/verify',
  '/api-key/get',
  '/api-key/update',
  '/api-key/delete',
  '/api-key/list',
  '/api-key/delete-all-expired-api-keys',
]

export type AuthOptions = {
  db: Db
  clock: Clock
  secret: string
  baseUrl: string
  /** Other origins that the console is opened under, e.g. 127.0.0.1 beside localhost. */
  trustedOrigins?: string[]
  /** Cookies are `Secure` when the base URL is https. */
  production: boolean
}

export type Auth = ReturnType<typeof createAuth>

/** Sign-in with email and password. There is no sign-up: an admin makes users. */
export function createAuth(options: AuthOptions) {
  const access = createAccessControl(defaultStatements)
  const person = access.newRole(userAc.statements)
  return betterAuth({
    appName: 'Idemscope',
    baseURL: options.baseUrl,
    basePath: '/api/auth',
    secret: options.secret,
    trustedOrigins: options.trustedOrigins ?? [],
    database: prismaAdapter(options.db.prisma, { provider: 'postgresql', transaction: true }),
    telemetry: { enabled: false },
    // What it does not know comes to the route, which answers and logs as everywhere else.
    onAPIError: { throw: true },
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: PASSWORD_CHARACTERS_MIN },
    user: {
      additionalFields: { service: { type: 'boolean', input: false, required: false, defaultValue: false } },
    },
    session: { expiresIn: SESSION_S, updateAge: SESSION_REFRESH_S },
    // No header names the caller's address: whoever sends X-Forwarded-For would choose its own bucket. Attempts are
    // counted by account instead (sign-in-limit.ts).
    rateLimit: { enabled: false },
    advanced: {
      disableOriginCheck: false,
      ipAddress: { disableIpTracking: true },
      useSecureCookies: options.production && options.baseUrl.startsWith('https:'),
    },
    disabledPaths: DISABLED_PATHS,
    hooks: {
      before: createAuthMiddleware(async (request) => {
        if (request.path !== '/sign-in/email') return
        const email = String(request.body?.email ?? '')
        const retryAfterS = await countSignInAttempt(options.db, options.clock, email)
        if (retryAfterS === null) return
        throw new APIError(
          'TOO_MANY_REQUESTS',
          { message: `Too many attempts. Try again in ${retryAfterS} s.` },
          {
            'retry-after': String(retryAfterS),
          },
        )
      }),
      after: createAuthMiddleware(async (request) => {
        const signedIn = request.path === '/sign-in/email' ? request.context.newSession?.user : undefined
        if (signedIn) await clearSignInFailures(options.db, signedIn.email)
      }),
    },
    plugins: [
      admin({
        ac: access,
        roles: {
          viewer: person,
          operator: person,
          approver: person,
          admin: access.newRole(adminAc.statements),
        },
        defaultRole: 'viewer',
        adminRoles: ['admin'],
      }),
      apiKey({ rateLimit: { enabled: false }, enableMetadata: false }),
    ],
  })
}
