import type { AuthOptions } from '@/lib/access/auth'
import { AppError } from '@/lib/core/errors'
import { type Env, publicUrl } from '@/lib/env'
import { isLoopback } from '@/lib/outbound/addresses'

/**
 * Every origin whose pages may act with a session's cookie: this console's own. On its own machine it has two names; a
 * public one has only that.
 */
export function ownOrigins(settings: Env): string[] {
  const { origin, hostname } = new URL(publicUrl(settings))
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) return [origin]
  return [...new Set([origin, `http://localhost:${settings.PORT}`, `http://127.0.0.1:${settings.PORT}`])]
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
    trustedProxies: settings.IDEMSCOPE_TRUSTED_PROXIES,
  }
}
