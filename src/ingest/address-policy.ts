// Which network addresses a camera may have, decided on the resolved address that is then connected to.
// Only the decision and the name lookup; the connection itself is the RTSP client's.

import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { CameraError } from '../errors.ts';

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

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

  /** @param address an IP address as text; IPv4 inside IPv6 counts as the IPv4 address it means. */
  permits(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const ip = ipaddr.process(address);
    if (ip.range() === 'multicast' || ip.range() === 'broadcast') return false;
    if (this.#denied.some((network) => contains(network, ip))) return false;
    return this.#allowed.length === 0 || this.#allowed.some((network) => contains(network, ip));
  }

  /**
   * Resolves `host` anew and returns the addresses that may be connected to, in the resolver's order.
   * @throws CameraError `unknown_host`, or `address_denied` when every address is denied.
   */
  async resolve(host: string): Promise<readonly string[]> {
    const addresses = ipaddr.isValid(host) ? [host] : await lookUp(host);
    const permitted = addresses.filter((address) => this.permits(address));
    if (permitted.length === 0) throw new CameraError('address_denied');
    return permitted;
  }
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

function contains([network, bits]: Network, ip: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === ip.kind() && ip.match(network, bits);
}
