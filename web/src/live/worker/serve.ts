// The engine: plays every camera of the page, told by messages what to do.
// Runs in a worker, or beside the page where no worker can be made; one camera is tile.ts's.

import type { EnginePort, FromEngine, ToEngine } from '../messages.ts';
import { Tile } from './tile.ts';

const lookEveryMs = 1_000;
/** A timer this late means that the machine slept or the page was frozen. */
const sleepGapMs = 5_000;

export function serve(port: EnginePort): void {
  const tiles = new Map<number, Tile>();
  const post = (message: FromEngine, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  let lookedAt = performance.now();

  setInterval(() => {
    const now = performance.now();
    const slept = now - lookedAt > sleepGapMs;
    lookedAt = now;
    for (const tile of tiles.values()) tile.look(now, slept);
  }, lookEveryMs);

  port.onmessage = ({ data }) => follow(data);
  post({ type: 'ready' });

  function follow(message: ToEngine): void {
    switch (message.type) {
      case 'add': {
        const { tile, canvas, source, steps } = message;
        tiles.set(tile, new Tile({ tile, canvas, source, steps, post }));
        return;
      }
      case 'want':
        tiles.get(message.tile)?.want(message.want);
        return;
      case 'room':
        tiles.get(message.tile)?.room(message.room);
        return;
      case 'sound':
        tiles.get(message.tile)?.sound(message.on);
        return;
      case 'hurry':
        tiles.get(message.tile)?.hurry(true);
        return;
      case 'sink':
        tiles.get(message.tile)?.onSink(message.news);
        return;
      case 'still':
        tiles.get(message.tile)?.still(message.bitmap);
        // Also for a tile that is gone.
        message.bitmap.close();
        return;
      case 'remove':
        tiles.get(message.tile)?.close();
        tiles.delete(message.tile);
        return;
      case 'online':
        for (const tile of tiles.values()) tile.hurry(false);
        return;
    }
  }
}
