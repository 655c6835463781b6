/**
 * Which network addresses are public: the only ones to which planq speaks unasked. Everything that an address registry
 * sets aside counts as internal, and whatever hides an IPv4 address inside an IPv6 one.
 */
import { BlockList, isIP } from 'node:net';

const INTERNAL_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT, and the metadata service 100.100.100.200
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // a cloud's own services behind a public number
  ['169.254.0.0', 16], // link-local, and the metadata service 169.254.169.254
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
];

/** Of IPv6 only global unicast is public: not `::`, `::1`, mapped IPv4, NAT64, `fc00::/7`, `fe80::/10`, multicast. */
const GLOBAL_V6: readonly [string, number] = ['2000::', 3];

/** Parts of it that are not. */
const INTERNAL_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23], // protocol assignments: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: carries an IPv4 address
  ['3fff::', 20], // documentation
];

/** Says whether an address is public. What is not an IP address is not. */
export type IsPublic = (address: string) => boolean;

/** Builds the lists. */
export function createAddressCheck(): IsPublic {
  const internal = new BlockList();
  for (const [net, bits] of INTERNAL_V4) internal.addSubnet(net, bits, 'ipv4');
  for (const [net, bits] of INTERNAL_V6) internal.addSubnet(net, bits, 'ipv6');
  const global = new BlockList();
  global.addSubnet(...GLOBAL_V6, 'ipv6');
  return (address) => {
    const family = isIP(address);
    if (family === 4) return !internal.check(address, 'ipv4');
    return family === 6 && global.check(address, 'ipv6') && !internal.check(address, 'ipv6');
  };
}

/** A URL's host without the brackets of IPv6 and without the dot that ends a full name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
