import type { AuthOptions } from '@/lib/access/auth'
import { AppError } from '@/lib/core/errors'
import type { Env } from '@/lib/env'

/** Where people open the console. */
export const publicUrl = (settings: Env): string =>
  settings.IDEMSCOPE_PUBLIC_URL ?? `http://localhost:${settings.PORT}`

/** Every origin whose pages may act with a session's cookie: this console's own, under each of its names. */
export function ownOrigins(settings: Env): string[] {
  const loopback = [`http://localhost:${settings.PORT}`, `http://127.0.0.1:${settings.PORT}`]
  return [...new Set([new URL(publicUrl(settings)).origin, ...loopback])]
}

/** Throws `invalid` without the secret that signs sessions. */
export function authOptions(settings: Env): Omit<AuthOptions, 'db' | 'clock'> {
  const secret = settings.IDEMSCOPE_AUTH_SECRET
  if (secret === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_AUTH_SECRET is not set: sessions cannot be signed.')
  return {
    secret,
    baseUrl: publicUrl(settings),
    trustedOrigins: ownOrigins(settings),
    production: settings.NODE_ENV === 'production',
  }
}
