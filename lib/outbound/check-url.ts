import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublicAddress, isWithin } from './addresses'

/** Where a URL that a person entered leads: one address, to be connected to without asking the name again. */
export type Destination = { url: URL; address: string }
type Refused = { kind: 'refused'; why: string }
/** `inner` = it is in a network that a setting allows, and may be no public one. */
type Resolved = { kind: 'ok'; address: string; inner: boolean }

const URL_CHARS_MAX = 2_000

/** What can be said of a URL without resolving it; null = nothing against it. */
export function faultOfUrl(text: string): string | null {
  if (text.length > URL_CHARS_MAX || !URL.canParse(text)) return 'It is not a URL.'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'It must begin with https://.'
  if (url.username !== '' || url.password !== '')
    return 'It has a user name or password in front of its host: put the secret into its path.'
  return null
}

/**
 * Resolves a URL that a person entered, and refuses what leads inside. Plain http is for `allow` alone. Connecting to
 * `address` closes the gap in which a name could change.
 */
export async function checkUrl(
  text: string,
  allow: readonly string[],
): Promise<({ kind: 'ok' } & Destination) | Refused> {
  const fault = faultOfUrl(text)
  if (fault !== null) return { kind: 'refused', why: fault }
  const url = new URL(text)
  const resolved = await checkHost(url.hostname.replace(/^\[|\]$/g, ''), allow)
  if (resolved.kind === 'refused') return resolved
  if (!resolved.inner && url.protocol !== 'https:')
    return { kind: 'refused', why: `${url.hostname} is outside: it must be https.` }
  return { kind: 'ok', url, address: resolved.address }
}

/** Resolves a host that a person entered: every address of its name has to be public, or within `allow`. */
export async function checkHost(host: string, allow: readonly string[]): Promise<Resolved | Refused> {
  const addresses = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host }]
  const [first] = addresses
  if (first === undefined) return { kind: 'refused', why: `${host} has no address.` }
  const outside = addresses.filter(({ address }) => !isWithin(address, allow))
  const closed = outside.find(({ address }) => !isPublicAddress(address))
  if (closed !== undefined) {
    return {
      kind: 'refused',
      why: `${host} is ${closed.address}, which is not a public address: IDEMSCOPE_OUTBOUND_ALLOW does not name its network.`,
    }
  }
  return { kind: 'ok', address: first.address, inner: outside.length === 0 }
}
