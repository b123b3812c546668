import { isCredentialName } from '@/lib/core/redact'

/** What a name says about its value, in whichever spelling: with dashes, underscores, dots or capitals. */
type Meaning = 'raw key' | 'credential' | null

/**
 * `http.request.header.idempotency-key` as instrumentations capture it, `HTTP_IDEMPOTENCY_KEY` as CGI, WSGI and Rack name it, and
 * the bare names that services use.
 */
const RAW_KEY =
  /^(http\.(server\.)?(request\.)?headers?\.|request\.headers?\.|http[-.])?(x-?)?idempotency-?key$/
/** All captured headers in one map. */
const HEADERS = /^http\.(server\.)?request\.headers?$/i
/** The opt-in of senders that want the raw key to be shown. */
const SHOWN_KEY = 'idempotency.key'

const meanings = new Map<string, Meaning>()
/** Senders may make names up: then they are read anew. */
const NAMES_MAX = 4_096

export function meaningOf(name: string): Meaning {
  const known = meanings.get(name)
  if (known !== undefined) return known
  const meaning = readMeaning(name)
  if (meanings.size >= NAMES_MAX) meanings.clear()
  meanings.set(name, meaning)
  return meaning
}

export const isRawKeyName = (name: string): boolean => meaningOf(name) === 'raw key'
export const isHeadersName = (name: string): boolean => HEADERS.test(name)

function readMeaning(name: string): Meaning {
  if (name === SHOWN_KEY) return null
  if (RAW_KEY.test(name.toLowerCase().replaceAll('_', '-'))) return 'raw key'
  return isCredentialName(name) ? 'credential' : null
}
