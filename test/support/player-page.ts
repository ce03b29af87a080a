// A page that shows cameras by the built player alone, at the service's own origin, for tests and benchmarks.
// Serves the built files and passes all else on to the service; what is watched is the caller's business.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { stripReaderSource } from '../../simulator/strip.ts';

const dist = fileURLToPath(new URL('../../web/dist', import.meta.url));
const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' };
/** The service's own, so that what it would block is blocked here; but for one script of the page itself. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
  "worker-src 'self'; connect-src 'self'";

const html = `<!doctype html><meta charset="utf-8"><title>Player</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/player.css"><script type="module" src="/player-test.js"></script>
<main id="tiles"></main>`;

const css = `body{margin:0;background:#222}#tiles{display:grid;grid-template-columns:repeat(var(--columns,1),1fr);gap:4px}
#tiles>div{aspect-ratio:4/3;background:#000}`;

// What runs inside the page is text: these files know Node's types and not the browser's.
const script = `import { LivePlayer } from '/live-player.js';
${stripReaderSource}
const players = new Map();
/** What is seen at the place of a tile: the video or the canvas, whichever is on top. */
function shown(name) {
  const host = players.get(name).host;
  const video = host.querySelector('video');
  return video && video.style.visibility !== 'hidden' ? video : host.querySelector('canvas');
}
const small = new OffscreenCanvas(320, 240).getContext('2d', { willReadFrequently: true });
function pixels(name) {
  const source = shown(name);
  const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
  if (!width || !height) return null;
  const copy = new OffscreenCanvas(width, height);
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  return { data: context.getImageData(0, 0, width, height).data, width, height };
}
globalThis.live = {
  players,
  add(name, options) {
    const host = document.createElement('div');
    document.getElementById('tiles').append(host);
    const player = new LivePlayer(host, options);
    const states = [];
    const note = () => {
      const { code, step, note, sentence } = player.getState();
      const last = states.at(-1);
      if (last?.code !== code || last.step !== step || last.note !== note) states.push({ code, step, note, sentence });
    };
    note();
    player.subscribe(note);
    players.set(name, { host, player, states });
  },
  look: (name) => {
    const { player, states } = players.get(name);
    return { state: player.getState(), stats: player.getStats(), states };
  },
  frame(name) {
    const seen = pixels(name);
    return seen && readStrip(seen.data, seen.width, seen.height);
  },
  /** The same, quick enough for every repaint: only the strip is copied, small. */
  glimpse(name) {
    const source = shown(name);
    const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
    if (!width) return null;
    small.drawImage(source, 0, (height * 23) / 24, width, height / 24, 0, 230, 320, 10);
    return readStrip(small.getImageData(0, 0, 320, 240).data, 320, 240);
  },
  colour(name, x, y) {
    const { data, width, height } = pixels(name);
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 4;
    return [...data.slice(at, at + 3)];
  },
  columns: (count) => document.getElementById('tiles').style.setProperty('--columns', count),
  remove(name) {
    const { host, player } = players.get(name);
    player.destroy();
    host.remove();
    players.delete(name);
  },
};
`;

export interface TileView {
  readonly state: {
    readonly code: string;
    readonly kind: string;
    readonly sentence: string | null;
    readonly note: string | null;
    readonly step: string;
    readonly hasPicture: boolean;
  };
  readonly stats: {
    readonly fps: number;
    readonly delayMs: number | null;
    readonly dropped: number;
    readonly width: number;
    readonly height: number;
    readonly step: string;
    readonly codec: string | null;
    readonly audio: boolean;
  };
  /** Every state since the tile was made. */
  readonly states: readonly {
    readonly code: string;
    readonly step: string;
    readonly note: string | null;
    readonly sentence: string | null;
  }[];
}

export interface PlayerPage {
  readonly url: string;
  /** Lets nothing pass any more: as when the service is gone. */
  setService(baseUrl: string): void;
  close(): Promise<void>;
}

/** Builds the page if it has changed, then listens on a free port of the loopback interface. */
export async function servePlayerPage(serviceUrl: string): Promise<PlayerPage> {
  await buildWeb();
  let service = new URL(serviceUrl);
  const own: Readonly<Record<string, readonly [string, string]>> = {
    '/player.html': ['text/html', html],
    '/player.css': ['text/css', css],
    '/player-test.js': ['text/javascript', script],
  };

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://localhost');
    const made = own[pathname];
    const built = /^\/(live-player\.js|assets\/[\w.-]+)$/.test(pathname);
    if (!made && !built) return passOn(incoming, outgoing, service);
    const type = made?.[0] ?? types[extname(pathname)] ?? 'application/octet-stream';
    const body = made?.[1] ?? (await readFile(join(dist, normalize(pathname))));
    outgoing.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
  };
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: Error) => outgoing.writeHead(500).end(error.message));
  });
  const tunnels = new Set<Socket>();
  server.on('upgrade', (incoming, socket, head) => {
    const upstream = connect(Number(service.port), service.hostname, () => {
      const headers = incoming.rawHeaders.reduce(
        (text, part, i) => text + part + (i % 2 === 0 ? ': ' : '\r\n'),
        '',
      );
      upstream.write(`GET ${incoming.url} HTTP/1.1\r\n${headers}\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const [end, other] of [
      [upstream, socket],
      [socket, upstream],
    ] as const) {
      end.on('error', () => other.destroy());
      end.on('close', () => other.destroy());
    }
    upstream.setNoDelay(true);
    tunnels.add(upstream);
    upstream.on('close', () => tunnels.delete(upstream));
  });
  server.on('connection', (socket) => socket.setNoDelay(true));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/player.html`,
    setService: (baseUrl) => {
      service = new URL(baseUrl);
    },
    async close() {
      for (const tunnel of tunnels) tunnel.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function passOn(incoming: IncomingMessage, outgoing: ServerResponse, service: URL): void {
  const { method, headers, url: path } = incoming;
  const upstream = request(
    { host: service.hostname, port: service.port, path, method, headers },
    (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    },
  );
  // Gone: the browser sees a connection that broke.
  upstream.on('error', () => outgoing.destroy());
  incoming.pipe(upstream);
}

/** The page's side of `live`, called from a test. */
export function tilesOf(page: Page) {
  const call = <T>(name: string, ...args: readonly unknown[]): Promise<T> =>
    page.evaluate<T>(`live.${name}(...${JSON.stringify(args)})`);
  return {
    add: (name: string, options: Readonly<Record<string, unknown>>) => call<void>('add', name, options),
    remove: (name: string) => call<void>('remove', name),
    look: (name: string) => call<TileView>('look', name),
    /** The number that the picture shows in its strip; null while none can be read. */
    frame: (name: string) => call<number | null>('frame', name),
    /** RGB of a point, both as fractions of the picture. */
    colour: (name: string, x: number, y: number) => call<number[]>('colour', name, x, y),
    columns: (count: number) => call<void>('columns', count),
    /** A method of the player. */
    tell: (name: string, method: string, ...args: readonly unknown[]) =>
      page.evaluate(`live.players.get(${JSON.stringify(name)}).player.${method}(...${JSON.stringify(args)})`),
  };
}
