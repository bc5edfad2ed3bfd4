import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * Which network addresses the server may call for whom. Someone who can make it call addresses that only it reaches
 * could use its place in the network: other services of the house, the router, the metadata of a cloud.
 */

/** Networks of a house or a machine, which only administrators may name. */
const inside = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
] as const) {
  inside.addSubnet(network, prefix, 'ipv4')
}
inside.addAddress('::1', 'ipv6')
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addSubnet('fec0::', 10, 'ipv6')

/** Nothing that anyone delivers to: link-local (where clouds keep their secrets), multicast, documentation, reserved. */
const never = new BlockList()
for (const [network, prefix] of [
  ['169.254.0.0', 16],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  never.addSubnet(network, prefix, 'ipv4')
}
never.addAddress('0.0.0.0', 'ipv4')
never.addAddress('::', 'ipv6')
for (const [network, prefix] of [
  ['fe80::', 10],
  ['ff00::', 8],
  ['100::', 64],
  ['2001:db8::', 32],
  // Addresses of IPv4 in other clothes: translated or tunnelled. Nobody has a server there alone.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
] as const) {
  never.addSubnet(network, prefix, 'ipv6')
}

/** Whether the address may be called by whoever may (`mayInside`) or may not name what lies inside. */
export function mayCall(address: string, mayInside: boolean): boolean {
  const bare = address.split('%', 1)[0] ?? ''
  const mapped = mappedIPv4(bare)
  if (mapped !== null) return mayCall(mapped, mayInside)
  if (isIPv4(bare)) return !never.check(bare, 'ipv4') && (mayInside || !inside.check(bare, 'ipv4'))
  if (!isIPv6(bare) || never.check(bare, 'ipv6')) return false
  if (inside.check(bare, 'ipv6')) return mayInside
  return isGlobal(bare)
}

/** Only 2000::/3 is given out to anyone. */
function isGlobal(address: string): boolean {
  const [first = ''] = address.split(':', 1)
  const number = Number.parseInt(first === '' ? '0' : first, 16)
  return number >= 0x2000 && number <= 0x3fff
}

/** `::ffff:10.0.0.1`, and the same in hexadecimal. */
function mappedIPv4(address: string): string | null {
  if (!isIPv6(address)) return null
  // The platform's own parser writes every form in one.
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host)
  if (match === null) return null
  const [high, low] = [match[1], match[2]].map((half) => Number.parseInt(half ?? '', 16))
  if (high === undefined || low === undefined) return null
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
