import type { IncomingMessage } from 'node:http'
import { gatewayProblem, problemResponse } from '../problem'
import { findRepeated, headerValues } from '../upstream/headers'
import { canonicalPath } from './path'

export type Target = {
  method: string
  /** As routes are matched by it. */
  path: string
  /** As the upstream gets it. */
  pathWithQuery: string
  host: string
}

/** What a request asks for; a problem where two readers could take it for two things. */
export function readTarget(incoming: IncomingMessage): Target | { problem: Response } {
  const repeated = findRepeated(incoming.rawHeaders)
  if (repeated === 'idempotency-key')
    return {
      problem: problemResponse('keyMalformed', {
        detail: 'The Idempotency-Key header is there more than once.',
      }),
    }
  if (repeated !== null)
    return { problem: gatewayProblem('repeatedHeader', { detail: `${repeated} may be there once.` }) }
  const { headers, rawHeaders, method = '' } = incoming
  if (headers['content-length'] !== undefined && headers['transfer-encoding'] !== undefined)
    return { problem: gatewayProblem('malformedRequest') }
  if (isUpgrade(headers.upgrade)) return { problem: gatewayProblem('upgradeRefused') }

  const absolute = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(incoming.url ?? '')
  const pathWithQuery = absolute === null ? (incoming.url ?? '') : startWithSlash(absolute[2] ?? '')
  const [beforeQuery = ''] = pathWithQuery.split('?', 1)
  const path = canonicalPath(beforeQuery)
  if (path === null) return { problem: gatewayProblem('ambiguousPath') }
  // RFC 9112, 3.2.2: the address of an absolute form counts.
  const host = absolute?.[1] ?? headerValues({ rawHeaders }, 'host')[0] ?? ''
  if (!/^[A-Za-z0-9._~:[\]-]{1,255}$/.test(host)) return { problem: problemResponse('malformed') }
  // What reads it from here on, the SDK's fingerprint too, sees the one form.
  incoming.url = pathWithQuery
  return { method, path, pathWithQuery, host }
}

const startWithSlash = (path: string) => (path.startsWith('/') ? path : `/${path}`)

/** A change to HTTP/2 is an offer that may be passed over, and then it is not made. */
const isUpgrade = (header = 'h2c'): boolean =>
  header.split(',').some((protocol) => !/^h2c$/i.test(protocol.trim()))
