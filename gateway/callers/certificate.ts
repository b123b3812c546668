import type { IncomingMessage } from 'node:http'
import type { CallerConfig } from '../config/schema'
import { headerValues } from '../upstream/headers'
import { type CallerFound, callerFrom } from './caller'

type CertificateConfig = NonNullable<CallerConfig['clientCertificate']>

/** What the proxy in front says of the client's certificate. */
export function readCertificate(
  incoming: IncomingMessage,
  { header, take, verified }: CertificateConfig,
): CallerFound {
  if (verified !== undefined) {
    const [said, ...more] = headerValues(incoming, verified.header)
    if (said !== verified.value || more.length > 0)
      return { kind: 'missing', why: 'the client certificate is not verified' }
  }
  const values = headerValues(incoming, header)
  if (values.length !== 1) return callerFrom(values)
  const found = TAKES[take](values[0] ?? '')
  return found === null
    ? { kind: 'missing', why: `the header of the certificate has no ${take}` }
    : callerFrom([found])
}

const TAKES = {
  value: (value) => value,
  // `CN=web,O=Acme` (RFC 4514) or `/O=Acme/CN=web`.
  cn: (value) => {
    const [first, ...more] = [...value.matchAll(/(?:^|[,/]\s*)CN=((?:\\.|[^,/\\])+)/g)]
    // Two common names could be read as either.
    return more.length > 0 ? null : (first?.[1]?.replace(/\\(.)/g, '$1') ?? null)
  },
  'xfcc-uri': (value) => xfccField(value, 'URI'),
  'xfcc-hash': (value) => xfccField(value, 'Hash'),
  'xfcc-subject': (value) => xfccField(value, 'Subject'),
} as const satisfies Record<CertificateConfig['take'], (value: string) => string | null>

/** Of Envoy's x-forwarded-client-cert. Several elements = several proxies: the client is not known then. */
function xfccField(value: string, name: string): string | null {
  const parts: string[] = value.match(/"(?:\\.|[^"\\])*"|[^";,]+|[;,]/g) ?? []
  if (parts.includes(',')) return null
  const pairs = value.matchAll(/(?:^|;)([A-Za-z]+)=("(?:\\.|[^"\\])*"|[^;,]*)/g)
  const found = [...pairs].filter(([, key]) => key === name)
  const text = found.length === 1 ? (found[0]?.[2] ?? '') : ''
  return text === '' ? null : text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1')
}
