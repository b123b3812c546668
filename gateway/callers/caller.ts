import type { IncomingMessage } from 'node:http'
import type { CallerConfig } from '../config/schema'
import { headerValues } from '../upstream/headers'
import { readCertificate } from './certificate'
import { createJwtCaller } from './jwt'

export type CallerFound =
  | { kind: 'caller'; caller: string }
  | { kind: 'missing'; why: string }
  | { kind: 'unverifiable'; why: string }

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

/** From what one header said: exactly once, or it could be the client's beside the proxy's. */
export function callerFrom(values: readonly string[]): CallerFound {
  const [value = '', ...more] = values
  if (more.length > 0) return { kind: 'missing', why: 'the header of the caller is repeated' }
  return value === '' ? { kind: 'missing', why: 'the header of the caller is missing' } : toCaller(value)
}

/** A scope's caller has no slash or space: those, and the sign that stands for them, are written as in a URL. */
export function toCaller(value: string): CallerFound {
  const caller = value.replace(/[/\s%]/g, encodeURIComponent)
  return caller.length <= 128
    ? { kind: 'caller', caller }
    : { kind: 'missing', why: 'the name of the caller is longer than 128 characters' }
}
