// What tests of the pool share: pools that are closed, clips made once, a channel as an owner uses it.
// No tests, and nothing that the service uses.

import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../base/log.ts';
import type { AccessUnit, Picture, VideoCodec } from '../media/access-unit.ts';
import type { FaceImages, FrameFaces } from '../media/faces.ts';
import type { FaceOptions, PictureOptions, Wants } from './messages.ts';
import { CodecPool, type CodecPoolOptions } from './pool.ts';
import type { PoolChannel } from './pool-channel.ts';
import { type ClipOptions, encodeClip } from './worker/test-clips.ts';

export const wanted: PictureOptions = { width: 640, height: 480, fps: 15, quality: 80 };
const faces: FaceOptions = { width: 640, height: 480, fps: 5, minFaceSize: 40 };
const pools: CodecPool[] = [];

/** After each test. */
export async function closePools(): Promise<void> {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
}

export function createPool(options: Partial<CodecPoolOptions> = {}): CodecPool {
  const pool = new CodecPool({ maxWorkers: 1, log: silentLog, ...options });
  pools.push(pool);
  return pool;
}

const clips = new Map<string, AccessUnit[]>();
export function clip(options: Partial<ClipOptions> = {}): AccessUnit[] {
  const full = { codec: 'h264', width: 320, height: 240, frames: 15, ...options } as const;
  const key = JSON.stringify(full);
  const made = clips.get(key) ?? encodeClip(full);
  clips.set(key, made);
  return made;
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !condition(); await sleep(2)) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
  }
}

/** A channel as an owner uses it: keeps the units since the keyframe and feeds them again after a reset. */
export function open(
  pool: CodecPool,
  codec: VideoCodec = 'h264',
  picture: PictureOptions = wanted,
  wants: Wants = { pictures: true, faces: false },
) {
  const pictures: Picture[] = [];
  const troubles: string[] = [];
  let recent: AccessUnit[] = [];
  let resets = 0;
  const found: { readonly faces: FrameFaces; readonly images: FaceImages | null }[] = [];
  const detector: string[] = [];
  const channel = pool.open(codec, { picture, faces }, wants, {
    onPicture: (made) => pictures.push(made),
    onFaces: (frame, images) => found.push({ faces: frame, images }),
    onDetector: (state) => detector.push(state),
    onTrouble: (message) => troubles.push(message),
    onReset() {
      resets += 1;
      recent.forEach((unit, index) => {
        channel.send(unit, index === recent.length - 1);
      });
    },
  }) as PoolChannel;
  const idle = () => until('nothing is in flight', () => channel.inFlight === 0);
  return {
    channel,
    pictures,
    found,
    detector,
    troubles,
    idle,
    get resets() {
      return resets;
    },
    /** One unit after the other, each when the one before is done. */
    async feed(units: readonly AccessUnit[]) {
      for (const unit of units) {
        recent = unit.keyframe ? [unit] : [...recent, unit];
        channel.send(unit);
        await idle();
      }
    },
  };
}
