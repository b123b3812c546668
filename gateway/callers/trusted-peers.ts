import { BlockList, isIP } from 'node:net'

const KNOWN_MAX = 10_000

/** Whether an address is one of the proxies whose headers are believed. */
export function createTrustedPeers(networks: readonly string[]): (address: string | undefined) => boolean {
  if (networks.length === 0) return () => false
  const trusted = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    trusted.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  const check = (address: string) => {
    // As a socket that serves both families names an IPv4 peer.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
    return trusted.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
  }
  /** Proxies are few, and a look-up costs as much as reading a header. */
  const known = new Map<string, boolean>()
  return (address) => {
    if (address === undefined) return false
    const before = known.get(address)
    if (before !== undefined) return before
    if (known.size >= KNOWN_MAX) known.clear()
    const isTrusted = check(address)
    known.set(address, isTrusted)
    return isTrusted
  }
}
