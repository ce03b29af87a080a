// Which network addresses a camera may have, decided on the resolved address that is then connected to.
// Only the decision and the name lookup; the connection itself is the RTSP client's.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { CameraError } from '../errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

export interface AddressPolicyOptions {
  /** CIDR lists; an empty `allowed` means any address that is not denied, and `denied` goes before `allowed`. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}

export class AddressPolicy {
  readonly #allowed: readonly Network[];
  readonly #denied: readonly Network[];

  constructor({ allowed, denied }: AddressPolicyOptions) {
    this.#allowed = allowed.map(parseNetwork);
    this.#denied = denied.map(parseNetwork);
  }

  /**
   * @param address an IP address in its usual spelling; any other is denied. IPv4 mapped into IPv6 counts as the IPv4
   *   address it is; an IPv6 address that a gateway turns into an IPv4 one is denied when either of the two is.
   */
  permits(address: string): boolean {
    // Not what ipaddr.js reads (it knows octal, hexadecimal and short spellings), but what is connected to as it stands.
    if (isIP(address) === 0) return false;
    const ip = ipaddr.process(address);
    const embedded = embeddedIPv4(ip);
    if (this.#denies(ip) || (embedded && this.#denies(embedded))) return false;
    return this.#allowed.length === 0 || this.#allowed.some((network) => contains(network, ip));
  }

  /**
   * Resolves `host` anew and returns the addresses that may be connected to, in the resolver's order.
   * @throws CameraError `unknown_host`, or `address_denied` when every address is denied.
   */
  async resolve(host: string): Promise<readonly string[]> {
    const addresses = isIP(host) !== 0 ? [host] : await lookUp(host);
    const permitted = addresses.filter((address) => this.permits(address));
    if (permitted.length === 0) throw new CameraError('address_denied');
    return permitted;
  }

  #denies(ip: Address): boolean {
    const range = ip.range();
    if (range === 'multicast' || range === 'broadcast') return true;
    return this.#denied.some((network) => contains(network, ip));
  }
}

/** Where the IPv4 address begins in IPv6 addresses that gateways translate, bytes. */
const embeddings: readonly (readonly [network: Network, at: number])[] = [
  // NAT64 (RFC 6052, RFC 8215), IPv4-translated (RFC 2765), IPv4-compatible (RFC 4291 §2.5.5.1), 6to4 (RFC 3056).
  [parseNetwork('64:ff9b::/96'), 12],
  [parseNetwork('64:ff9b:1::/48'), 12],
  [parseNetwork('::ffff:0:0:0/96'), 12],
  [parseNetwork('::/96'), 12],
  [parseNetwork('2002::/16'), 2],
];

function embeddedIPv4(ip: Address): ipaddr.IPv4 | null {
  if (ip.kind() !== 'ipv6' || ip.range() === 'loopback') return null;
  const found = embeddings.find(([network]) => contains(network, ip));
  return found ? new ipaddr.IPv4(ip.toByteArray().slice(found[1], found[1] + 4)) : null;
}

async function lookUp(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' });
    return found.map(({ address }) => address);
  } catch (error) {
    throw new CameraError('unknown_host', undefined, { cause: error });
  }
}

function parseNetwork(text: string): Network {
  return ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
}

function contains([network, bits]: Network, ip: Address): boolean {
  return network.kind() === ip.kind() && ip.match(network, bits);
}
