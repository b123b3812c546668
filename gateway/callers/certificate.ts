import type { IncomingMessage } from 'node:http'
import type { CallerConfig } from '../config/schema'
import { headerValues } from '../upstream/headers'
import { type CallerFound, callerFrom } from './caller-found'

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
  // RFC 4514: `CN=web,O=Acme`. A comma that is escaped is part of a value, and two names could be read as either.
  cn: (value) => {
    const parts = value.match(/(?:\\.|[^\\,+])+/g) ?? []
    const names = parts.flatMap((part) => /^\s*CN=(.*)$/s.exec(part)?.[1] ?? [])
    return names.length === 1 ? (names[0]?.replace(/\\(.)/g, '$1') ?? null) : null
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
