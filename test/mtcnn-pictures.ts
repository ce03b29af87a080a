// The six photographs of the face detector's tests and benchmarks, as the codec worker would give them to it.
// Decoding only; what must be found in them is written where it is asserted.

import { join } from 'node:path';
import { Decoder, Demuxer, Scaler } from 'node-av/api';
import type { Frame } from '../src/detect/mtcnn/frame.ts';

const folder = join(import.meta.dirname, '../node_modules/@vladmandic/face-api/demo');

async function decode(path: string, maxWidth: number, maxHeight: number): Promise<Frame> {
  await using input = await Demuxer.open(path);
  const stream = input.video();
  if (!stream) throw new Error(`${path} holds no picture`);
  using decoder = await Decoder.create(stream);
  using scaler = new Scaler();
  for await (using frame of decoder.frames(input.packets(stream.index))) {
    if (!frame) continue;
    const scale = Math.min(1, maxWidth / frame.width, maxHeight / frame.height);
    const width = Math.round(frame.width * scale);
    const height = Math.round(frame.height * scale);
    const rgb = await scaler.toBuffer(frame, { resize: { width, height }, format: 'rgb' });
    return { rgb: new Uint8Array(rgb), width, height };
  }
  throw new Error(`${path} could not be decoded`);
}

/** @param number 1–6. @returns the photograph fitted inside 640×480, or the given size. */
export function picture(number: number, width = 640, height = 480): Promise<Frame> {
  return decode(join(folder, `sample${number}.jpg`), width, height);
}

/** `frame` with nothing but grey noise in it: no faces, but work for the pyramid. */
export function emptyFrame(width: number, height: number): Frame {
  const rgb = new Uint8Array(width * height * 3);
  let state = 1;
  for (let i = 0; i < rgb.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    rgb[i] = 96 + (state >>> 28);
  }
  return { rgb, width, height };
}
