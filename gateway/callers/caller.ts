import type { IncomingMessage } from 'node:http'
import type { CallerConfig } from '../config/schema'
import { headerValues } from '../upstream/headers'
import { type CallerFound, callerFrom } from './caller-found'
import { readCertificate } from './certificate'
import { createJwtCaller } from './jwt'

/** Who makes a request; never what the client may choose. */
export type Caller = (incoming: IncomingMessage) => CallerFound | Promise<CallerFound>

export function createCaller(
  config: CallerConfig,
  isTrusted: (address: string | undefined) => boolean,
): Caller {
  const { fixed, header, jwt, clientCertificate } = config
  if (fixed !== undefined) return () => ({ kind: 'caller', caller: fixed })
  if (jwt !== undefined) return createJwtCaller(jwt)
  return (incoming) => {
    if (!isTrusted(incoming.socket.remoteAddress))
      return { kind: 'missing', why: 'the request comes from no trusted proxy' }
    if (clientCertificate !== undefined) return readCertificate(incoming, clientCertificate)
    return callerFrom(headerValues(incoming, header ?? ''))
  }
}
