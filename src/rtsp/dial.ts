// Opens the TCP or TLS connection to exactly the addresses that the address policy allowed.
// What is then spoken on it is connection.ts's work.

import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CameraError } from '../errors.ts';
import type { CameraUrl } from '../media/camera-url.ts';
import { fromSocketError } from './failure.ts';
import { unlessAborted } from './waiting.ts';

/**
 * Gives the IP addresses of a host that may be connected to; asked anew for every connection and redirect.
 * @throws CameraError `unknown_host` or `address_denied`.
 */
export type ResolveAddress = (host: string) => Promise<readonly string[]>;

/** Every address the system knows, none refused. */
export const resolveAny: ResolveAddress = async (host) => {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    throw fromSocketError(error);
  }
};

export interface DialOptions {
  readonly url: CameraUrl;
  readonly resolve: ResolveAddress;
  /** For all addresses together, ms. */
  readonly timeout: number;
  /** False accepts any certificate: cameras sign their own. */
  readonly tlsVerify: boolean;
}

/** @throws CameraError; the error of the last address tried. `signal` rejects with its reason. */
export async function dial(options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const addresses = await unlessAborted(options.resolve(options.url.host), signal);
  if (addresses.length === 0) throw new CameraError('unknown_host');
  const deadline = performance.now() + options.timeout;
  let failure: unknown;
  for (const [index, address] of addresses.slice(0, 8).entries()) {
    const left = deadline - performance.now();
    if (left <= 0) break;
    const share = index === addresses.length - 1 ? left : Math.min(left, Math.max(1000, left / 2));
    try {
      const socket = await open(options, address, share, signal);
      // It may have failed again in the moment between its readiness and this line.
      if (!socket.destroyed) return socket;
      failure = new CameraError('connection_lost');
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure === undefined ? new CameraError('timeout') : fromSocketError(failure);
}

function open(
  { url, tlsVerify }: DialOptions,
  address: string,
  timeout: number,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const secure = url.scheme === 'rtsps';
  const target = { host: address, port: url.port, noDelay: true, keepAlive: true };
  const socket: Socket = secure
    ? connectTls({
        ...target,
        rejectUnauthorized: tlsVerify,
        ...(isIP(url.host) ? {} : { servername: url.host }),
      })
    : connectTcp(target);
  // For errors of sockets that were given up, and those before the connection listens itself.
  socket.on('error', ignoreLateError);
  return new Promise((resolve, reject) => {
    const giveUp = (error: unknown) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onAbort = () => giveUp(signal.reason);
    const onClose = () => giveUp(new CameraError('connection_lost'));
    const timer = setTimeout(() => giveUp(new CameraError('timeout')), timeout);
    const ready = secure ? 'secureConnect' : 'connect';
    const onReady = () => {
      settle();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    };
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', giveUp).off('close', onClose).off(ready, onReady);
    };
    signal.addEventListener('abort', onAbort);
    socket.on('error', giveUp).on('close', onClose).on(ready, onReady);
  });
}

function ignoreLateError(): void {
  // Whoever opened the connection is told by other means.
}
