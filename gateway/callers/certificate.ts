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
    const [name] = names
    // `#` begins the bytes of another encoding.
    return names.length !== 1 || name === undefined || name.startsWith('#') ? null : unescapeDn(name)
  },
  'xfcc-uri': (value) => xfccField(value, 'URI'),
  'xfcc-hash': (value) => xfccField(value, 'Hash'),
  'xfcc-subject': (value) => xfccField(value, 'Subject'),
} as const satisfies Record<CertificateConfig['take'], (value: string) => string | null>

/** RFC 4514: bytes beyond ASCII are written as `\C3\A9`, so that two names stay two. Null where they are no text. */
function unescapeDn(name: string): string | null {
  const bytes = name.replace(/\\([0-9a-fA-F]{2}|.)|[^\\]/gsu, (found, escaped: string | undefined) => {
    if (escaped?.length === 2 && /^[0-9a-f]{2}$/i.test(escaped))
      return String.fromCharCode(Number.parseInt(escaped, 16))
    return Buffer.from(escaped ?? found).toString('latin1')
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return null
  }
}

/** Of Envoy's x-forwarded-client-cert. Several elements = several proxies: the client is not known then. */
function xfccField(value: string, name: string): string | null {
  const parts: string[] = value.match(/"(?:\\.|[^"\\])*"|[^";,]+|[;,]/g) ?? []
  if (parts.includes(',')) return null
  const pairs = value.matchAll(/(?:^|;)([A-Za-z]+)=("(?:\\.|[^"\\])*"|[^;,]*)/g)
  const found = [...pairs].filter(([, key]) => key === name)
  const text = found.length === 1 ? (found[0]?.[2] ?? '') : ''
  return text === '' ? null : text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1')
}
