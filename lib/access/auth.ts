import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { createAccessControl } from 'better-auth/plugins/access'
import { admin } from 'better-auth/plugins/admin'
import { adminAc, defaultStatements, userAc } from 'better-auth/plugins/admin/access'
import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { type DeviceCookie, deviceCookie } from './sign-in/device'
import { guardSignIn } from './sign-in/guard'

const SESSION_S = 8 * 3600
const SESSION_REFRESH_S = 3600
const BASE_PATH = '/api/auth'
const SIGN_IN = `${BASE_PATH}/sign-in/email`

/**
 * All that is offered over HTTP. What our own verbs do, with their check and their audit entry, is not offered a second
 * time: not users and keys, where an admin who could impersonate an approver would be four eyes alone; not names; not
 * passwords, which could be guessed there without end.
 */
const OPEN_PATHS = [SIGN_IN, `${BASE_PATH}/sign-out`]

export type AuthOptions = {
  db: Db
  clock: Clock
  secret: string
  /** Cookies are `Secure` when it is https. */
  baseUrl: string
  /** Other origins that the console is opened under, e.g. 127.0.0.1 beside localhost. */
  trustedOrigins?: string[]
  /** Networks of proxies whose X-Forwarded-For is believed, in CIDR notation. */
  trustedProxies?: readonly string[]
}

export type Auth = ReturnType<typeof createAuth>

/** Sign-in with email and password. There is no sign-up: an admin invites people. */
export function createAuth(options: AuthOptions) {
  const secure = options.baseUrl.startsWith('https:')
  const { api, handler } = createBetterAuth(options, secure)
  const signIn = guardSignIn({ ...options, secure, trustedProxies: options.trustedProxies ?? [] }, handler)
  return {
    api,
    async handler(request: Request): Promise<Response> {
      const { pathname } = new URL(request.url)
      if (request.method !== 'POST' || !OPEN_PATHS.includes(pathname))
        return Response.json({ message: 'There is no such thing here.' }, { status: 404 })
      return pathname === SIGN_IN ? signIn(request) : handler(request)
    },
    /** Of a device on which somebody has just set their password. */
    deviceCookie: (email: string): DeviceCookie => deviceCookie(options.secret, email, null, secure),
  }
}

function createBetterAuth(options: AuthOptions, secure: boolean) {
  const access = createAccessControl(defaultStatements)
  const person = access.newRole(userAc.statements)
  return betterAuth({
    appName: 'Idemscope',
    baseURL: options.baseUrl,
    basePath: BASE_PATH,
    secret: options.secret,
    trustedOrigins: options.trustedOrigins ?? [],
    database: prismaAdapter(options.db.prisma, { provider: 'postgresql', transaction: true }),
    telemetry: { enabled: false },
    // What it does not know comes to the route, which answers and logs as everywhere else.
    onAPIError: { throw: true },
    emailAndPassword: { enabled: true, disableSignUp: true },
    user: {
      additionalFields: { service: { type: 'boolean', input: false, required: false, defaultValue: false } },
    },
    session: { expiresIn: SESSION_S, updateAge: SESSION_REFRESH_S },
    // Attempts are counted in sign-in/guard.ts, by address and account.
    rateLimit: { enabled: false },
    advanced: {
      disableOriginCheck: false,
      ipAddress: { disableIpTracking: true },
      useSecureCookies: secure,
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
