// A TCP proxy that plays the network's faults in front of a real server: silence, resets, delay, cuts.
// Knows bytes and connections only; nothing of RTSP or WebSocket.

import { connect, createServer, type Socket } from 'node:net';

/**
 * What happens to every connection, the open ones included:
 * - `pass`: bytes go through untouched.
 * - `black-hole`: bytes vanish in both directions and nothing is closed, as behind a pulled cable. What was
 *   swallowed does not come back: a connection that lived through it has lost its place in the stream.
 * - `refuse`: open connections are reset, new ones are reset as soon as they arrive.
 */
export type ProxyMode = 'pass' | 'black-hole' | 'refuse';

export interface TcpProxy {
  readonly port: number;
  /** Connections accepted so far, and those open now. */
  readonly accepted: number;
  readonly open: number;
  /** Bytes that arrived from the server so far, passed on or not. */
  readonly bytesFromServer: number;
  mode(mode: ProxyMode): void;
  /** Each chunk waits so long before it goes on, in order, both ways. 0: none. */
  delay(ms: number): void;
  /** RST to both ends of every open connection; new ones are welcome. */
  reset(): void;
  /** FIN to both ends of every open connection, after what is on its way. */
  finish(): void;
  /** Each connection is reset once it has given its client `bytes` (counted from now for the open ones). */
  cutAfter(bytes: number): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes the client may still get before the cut. */
  left: number;
}

/** Listens on a free port of the loopback interface and connects on to `target` for each client. */
export async function startTcpProxy(target: { host?: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let mode: ProxyMode = 'pass';
  let delayMs = 0;
  let cut = Number.POSITIVE_INFINITY;
  let accepted = 0;
  let bytesFromServer = 0;

  const resetPair = (pair: Pair) => {
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
    pairs.delete(pair);
  };

  const forward = (pair: Pair, to: Socket, chunk: Buffer) => {
    if (mode === 'black-hole' || to.destroyed) return;
    if (to !== pair.client) {
      to.write(chunk);
      return;
    }
    to.write(chunk.subarray(0, pair.left));
    pair.left -= chunk.length;
    // After the write has left: a reset at once would throw away what the client was still to see.
    if (pair.left <= 0) to.write('', () => resetPair(pair));
  };

  const after = (fn: () => void) => {
    if (delayMs === 0) fn();
    else setTimeout(fn, delayMs);
  };

  const listener = createServer({ noDelay: true }, (client) => {
    accepted++;
    if (mode === 'refuse') {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: target.host ?? '127.0.0.1', port: target.port, noDelay: true });
    const pair: Pair = { client, server, left: cut };
    pairs.add(pair);
    client.on('data', (chunk: Buffer) => after(() => forward(pair, server, chunk)));
    server.on('data', (chunk: Buffer) => {
      bytesFromServer += chunk.length;
      after(() => forward(pair, client, chunk));
    });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', ignore);
      from.on('end', () => after(() => mode !== 'black-hole' && to.end()));
      from.on('close', (hadError) => {
        if (mode === 'black-hole') return;
        if (hadError) to.resetAndDestroy();
        if (client.destroyed && server.destroyed) pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });

  return {
    port: (listener.address() as { port: number }).port,
    get accepted() {
      return accepted;
    },
    get open() {
      return pairs.size;
    },
    get bytesFromServer() {
      return bytesFromServer;
    },
    mode(next) {
      mode = next;
      if (next === 'refuse') for (const pair of pairs) resetPair(pair);
    },
    delay(ms) {
      delayMs = ms;
    },
    reset() {
      for (const pair of pairs) resetPair(pair);
    },
    finish() {
      for (const { client, server } of pairs) {
        client.end();
        server.end();
      }
    },
    cutAfter(bytes) {
      cut = bytes;
      for (const pair of pairs) pair.left = bytes;
    },
    async close() {
      for (const pair of pairs) resetPair(pair);
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}

/** Errors of either end are what this proxy is for: `close` follows and tells the other end. */
function ignore(): void {
  // Nothing to do: see above.
}
