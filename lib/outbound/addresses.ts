import { BlockList, isIP } from 'node:net'

/** Addresses that are nobody's public service: this machine, private and link-local networks, tests, multicast. */
const INNER_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** Of IPv6 only global unicast is public; these parts of it are not, or carry an IPv4 address inside. */
const GLOBAL_V6 = '2000::/3'
const INNER_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/')
    list.addSubnet(address, Number(bits), family(address))
  }
  return list
}

const innerV4 = listOf(INNER_V4)
const globalV6 = listOf([GLOBAL_V6])
const innerV6 = listOf(INNER_V6)

/** Whether the internet routes it. What is not known to be public is not. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !innerV4.check(address, 'ipv4')
  if (isIP(address) === 6) return globalV6.check(address, 'ipv6') && !innerV6.check(address, 'ipv6')
  return false
}

/** `networks` in CIDR notation. */
export const isWithin = (address: string, networks: readonly string[]): boolean =>
  networks.length > 0 && listOf(networks).check(address, family(address))

const loopback = listOf(['127.0.0.0/8', '::1/128', '::ffff:127.0.0.0/104'])

/** Whether only this machine reaches it; a name other than `localhost` may lead anywhere. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, family(host)))
