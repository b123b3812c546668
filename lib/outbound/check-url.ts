import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublicAddress, isWithin } from './addresses'

/** Where a URL that a person entered leads: one address, to be connected to without asking the name again. */
export type Destination = { url: URL; address: string }
type Refused = { kind: 'refused'; why: string }

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
 * Resolves a URL that a person entered, and refuses what leads inside: every address of the name has to be public, or
 * within `allow`. Plain http is for `allow` alone. Connecting to `address` closes the gap in which a name could change.
 */
export async function checkUrl(
  text: string,
  allow: readonly string[],
): Promise<({ kind: 'ok' } & Destination) | Refused> {
  const fault = faultOfUrl(text)
  if (fault !== null) return { kind: 'refused', why: fault }
  const url = new URL(text)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host }]
  for (const { address } of addresses) {
    const allowed = isWithin(address, allow)
    if (!allowed && !isPublicAddress(address)) {
      return {
        kind: 'refused',
        why: `${host} is ${address}, which is not a public address: IDEMSCOPE_OUTBOUND_ALLOW does not name its network.`,
      }
    }
    if (!allowed && url.protocol !== 'https:')
      return { kind: 'refused', why: `${host} is outside: it must be https.` }
  }
  const [first] = addresses
  if (first === undefined) return { kind: 'refused', why: `${host} has no address.` }
  return { kind: 'ok', url, address: first.address }
}
