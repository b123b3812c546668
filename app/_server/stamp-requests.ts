import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { cameThroughProxy, FORWARDED_HEADER, PEER_HEADER } from '@/lib/access/sign-in/client-address'

/** A year: from the first visit on, browsers come by https only. */
const HSTS = 'max-age=31536000'

/**
 * Notes on each request by which socket it came, over whatever a client wrote there: Next fills X-Forwarded-* itself, so
 * that a route could no longer tell. With a public https URL every answer says that it is https for good.
 */
export function stampRequests(publicUrl: string): void {
  const https = publicUrl.startsWith('https:')
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const forwarded = cameThroughProxy(request.headers)
    request.headers[PEER_HEADER] = request.socket.remoteAddress ?? ''
    request.headers[FORWARDED_HEADER] = forwarded ? '1' : '0'
    if (https) response.setHeader('strict-transport-security', HSTS)
  })
}
