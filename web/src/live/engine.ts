// The page's side of the engine: makes the one worker of the page and carries messages between it and the players.
// What the messages do is known at their ends.

import type { FromEngine, ToEngine } from './messages.ts';
import type { serve } from './worker/serve.ts';

type FromTile = Extract<FromEngine, { tile: number }>;

/** A worker that says nothing for so long will not come, ms. */
const workerPatienceMs = 10_000;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

interface Port {
  postMessage(message: ToEngine, transfer: Transferable[]): void;
}

class Engine {
  readonly #listeners = new Map<number, (message: FromTile) => void>();
  readonly #port: Promise<Port>;
  #lastTile = 0;

  constructor() {
    this.#port = this.#start();
    addEventListener('online', () => this.send({ type: 'online' }));
  }

  /** @returns the number of a new tile; `listener` hears what the engine says of it. */
  join(listener: (message: FromTile) => void): number {
    const tile = ++this.#lastTile;
    this.#listeners.set(tile, listener);
    return tile;
  }

  leave(tile: number): void {
    this.#listeners.delete(tile);
    this.send({ type: 'remove', tile });
  }

  /** In order; what is sent before the engine runs waits for it. */
  send(message: ToEngine, transfer: Transferable[] = []): void {
    void this.#port.then((port) => port.postMessage(message, transfer));
  }

  /** Until it runs: the network may be away just when the code is to be fetched. Never rejects. */
  async #start(): Promise<Port> {
    for (let wait = firstRetryMs; ; wait = Math.min(longestRetryMs, wait * 2)) {
      try {
        return await this.#startWorker().catch(() => this.#startHere());
      } catch (error) {
        console.warn('The player cannot be loaded; trying again.', error);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** @throws when the browser or the page's policy allows none: a page of another origin, for example. */
  async #startWorker(): Promise<Port> {
    const worker = new Worker(new URL('./worker/main.ts', import.meta.url), {
      type: 'module',
      name: 'live-video',
    });
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('The worker does not start.')), workerPatienceMs);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error('The worker cannot be loaded.'));
        };
        worker.onmessage = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    } catch (error) {
      worker.terminate();
      throw error;
    }
    worker.onerror = null;
    worker.onmessage = ({ data }: MessageEvent<FromEngine>) => this.#hear(data);
    return worker;
  }

  /** The same code beside the page: what is played is the same, only the page is busier. */
  async #startHere(): Promise<Port> {
    const engine: { serve: typeof serve } = await import('./worker/serve.ts');
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<FromEngine>) => this.#hear(data);
    engine.serve(port2);
    return port1;
  }

  #hear(message: FromEngine): void {
    if ('tile' in message) this.#listeners.get(message.tile)?.(message);
  }
}

let engine: Engine | null = null;

/** The engine of this page; it is made when the first camera is shown and stays. */
export function sharedEngine(): Engine {
  engine ??= new Engine();
  return engine;
}
