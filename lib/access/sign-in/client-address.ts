import { isIP } from 'node:net'
import { isLoopback, isWithin } from '@/lib/outbound/addresses'

/** Written over whatever a client sent, before the request reaches anything else (app/_server/stamp-requests.ts). */
export const PEER_HEADER = 'x-idemscope-peer'
export const FORWARDED_HEADER = 'x-idemscope-forwarded'

/** By these a proxy says that it passed a request on. */
const PROXY_HEADERS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
]

export const cameThroughProxy = (headers: Readonly<Record<string, unknown>>): boolean =>
  PROXY_HEADERS.some((name) => headers[name] !== undefined)

/** Straight from a program of this machine. Unknown is no. */
export const isDirectFromHere = (headers: Headers): boolean =>
  headers.get(FORWARDED_HEADER) === '0' && isLoopback(headers.get(PEER_HEADER) ?? '')

/**
 * Who asks: the socket's other end, or what a trusted proxy says of it. Of X-Forwarded-For only what trusted proxies
 * appended counts, read from the right. Null = not known.
 */
export function clientAddress(headers: Headers, trustedProxies: readonly string[]): string | null {
  let address = plainAddress(headers.get(PEER_HEADER) ?? '')
  if (headers.get(FORWARDED_HEADER) !== '1') return address
  const hops = (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => plainAddress(hop.trim()))
  for (const hop of hops.toReversed()) {
    if (address === null || !isWithin(address, trustedProxies)) return address
    address = hop
  }
  return address
}

/** `::ffff:10.0.0.1` is 10.0.0.1. */
function plainAddress(text: string): string | null {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? null : address
}

/** Where an address is from: what one customer of a network can have many addresses of counts as one. */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  return isIP(address) === 4
    ? address.slice(0, address.lastIndexOf('.'))
    : addressBucket(address).split(':').slice(0, 3).join(':')
}

/** What one sender can vary at will counts as one: of IPv6 the /64 that a connection gets. */
export function addressBucket(address: string | null): string {
  if (address === null) return 'unknown'
  if (isIP(address) === 4) return address
  // The URL parser writes the shortest form; its groups before :: are the leading ones.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = head === '' ? [] : head.split(':')
  const filled = tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length).fill('0')]
  return filled.slice(0, 4).join(':')
}
