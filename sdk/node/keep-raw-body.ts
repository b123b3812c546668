import type { IncomingMessage } from 'node:http'

/**
 * Keeps the bytes that a body parser reads, so that requests are compared as they were sent:
 * `express.json({ verify: keepRawBody })`.
 */
export function keepRawBody(incoming: IncomingMessage, _outgoing: unknown, bytes: Uint8Array): void {
  Object.assign(incoming, { rawBody: bytes })
}
