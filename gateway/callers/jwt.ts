import type { IncomingMessage } from 'node:http'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { CallerConfig } from '../config/schema'
import { headerValues } from '../upstream/headers'
import { type CallerFound, toCaller } from './caller-found'

type JwtConfig = NonNullable<CallerConfig['jwt']>

/** Of an unknown key id the set is read again, at most so often: whoever sends tokens must not choose how often. */
const RELOAD_MS_MIN = 5_000
const JWKS_TIMEOUT_MS = 5_000

/** A claim of the bearer token, verified by the keys that the issuer publishes. */
export function createJwtCaller(config: JwtConfig): (incoming: IncomingMessage) => Promise<CallerFound> {
  const { jwks, issuer, audience, claim, algorithms, clockTolerance } = config
  const keys = createRemoteJWKSet(new URL(jwks), {
    cooldownDuration: RELOAD_MS_MIN,
    timeoutDuration: JWKS_TIMEOUT_MS,
  })
  const options = {
    issuer,
    audience,
    algorithms,
    clockTolerance: clockTolerance / 1_000,
    requiredClaims: ['exp', claim],
  }
  return async (incoming) => {
    const [header = '', ...more] = headerValues(incoming, 'authorization')
    const [, token] = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header) ?? []
    if (token === undefined || more.length > 0) return { kind: 'missing', why: 'there is no bearer token' }
    try {
      const { payload } = await jwtVerify(token, keys, options)
      const value = payload[claim]
      return typeof value === 'string' && value !== ''
        ? toCaller(value)
        : { kind: 'missing', why: `the token's ${claim} is no text` }
    } catch (error) {
      // What the token says is the caller's; that the keys cannot be had is ours.
      return isOfToken(error)
        ? { kind: 'missing', why: `the token is refused: ${error.code}` }
        : { kind: 'unverifiable', why: `the keys of ${issuer} cannot be read` }
    }
  }
}

const isOfToken = (error: unknown): error is errors.JOSEError =>
  error instanceof errors.JWTClaimValidationFailed ||
  error instanceof errors.JWTExpired ||
  error instanceof errors.JWTInvalid ||
  error instanceof errors.JWSInvalid ||
  error instanceof errors.JWSSignatureVerificationFailed ||
  error instanceof errors.JOSEAlgNotAllowed ||
  error instanceof errors.JOSENotSupported ||
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys
