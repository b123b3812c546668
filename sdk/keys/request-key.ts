import { parseIdempotencyKey } from '../idempotency-key'
import type { RequestHead } from '../requests/head'
import { isSafeMethod } from '../requests/safe-methods'
import { type ProblemName, problemResponse } from '../responses/problem'
import type { Settings } from '../run/options'

export type RequestKey =
  | { kind: 'none' }
  | { kind: 'refused'; problem: ProblemName; detail?: string }
  /** `expiresAt`: of an issued key; past it, nothing may begin. */
  | { kind: 'key'; key: string; issued?: { expired: boolean; expiresAt: Date } }
  /** To be made of the body, once it is read. */
  | { kind: 'derived' }

/** The key that a request comes with, as far as its headers tell. */
export function findKey<Tx>(
  settings: Settings<Tx>,
  { method, headers }: RequestHead,
  scope: string,
): RequestKey {
  if (isSafeMethod(method)) return { kind: 'none' }
  if (settings.keyFrom !== 'header') return { kind: 'derived' }
  const header = parseIdempotencyKey(headers.get('idempotency-key'))
  if (header.kind === 'malformed') {
    const detail = `The Idempotency-Key header is not usable: ${header.reason}.`
    return { kind: 'refused', problem: 'keyMalformed', detail }
  }
  const { requireIssuedKey } = settings
  if (header.kind === 'missing') {
    if (requireIssuedKey !== undefined)
      return {
        kind: 'refused',
        problem: 'keyMissing',
        detail:
          'This operation needs a key that this service has issued. Request one, and send it as Idempotency-Key.',
      }
    return settings.required ? { kind: 'refused', problem: 'keyMissing' } : { kind: 'none' }
  }
  if (requireIssuedKey === undefined) return header
  const issued = requireIssuedKey.check(scope, header.key)
  return issued.kind === 'issued' ? { ...header, issued } : { kind: 'refused', problem: 'keyNotIssued' }
}

export const refuseKey = (problem: ProblemName, detail?: string): Response =>
  problemResponse(problem, detail === undefined ? {} : { detail })
