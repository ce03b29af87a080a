// Reads which frame of the simulated camera each H.264 access unit shows, by decoding them after the measuring.
// Without B-frames only: one unit in, one picture out, in order.

import { AV_CODEC_FLAG_LOW_DELAY, AV_CODEC_ID_H264, AV_LOG_QUIET } from 'node-av/constants';
import { Codec, CodecContext, Frame, Log, Packet } from 'node-av/lib';
import { readStrip } from '../simulator/strip.ts';
import type { SeenFrame } from './viewer-messages.ts';

export interface TimedUnit {
  /** Annex B. */
  readonly data: Buffer;
  /** `epochNow`, ms. */
  readonly at: number;
}

/** @param units in decoding order; those whose picture cannot be read are left out. */
export function readUnits(units: readonly TimedUnit[]): SeenFrame[] {
  const codec = Codec.findDecoder(AV_CODEC_ID_H264);
  if (!codec) throw new Error('this build of node-av cannot decode H.264');
  // Units before the first keyframe cannot be decoded; every one would be complained about.
  Log.setLevel(AV_LOG_QUIET);
  using context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
  if (context.open2Sync(codec, null) < 0) throw new Error('the H.264 decoder does not open');
  using packet = new Packet();
  packet.alloc();
  using frame = new Frame();
  frame.alloc();
  const seen: SeenFrame[] = [];
  for (const { data, at } of units) {
    packet.data = data;
    if (context.sendPacketSync(packet) < 0 || context.receiveFrameSync(frame) < 0) continue;
    const counter = readFrame(frame);
    if (counter !== null) seen.push({ counter, at });
  }
  return seen;
}

function readFrame({ width, height, linesize, data }: Frame): number | null {
  const plane = data?.[0];
  const stride = linesize[0];
  if (!plane || !stride) return null;
  const luma = new Uint8Array(width * height);
  for (let row = 0; row < height; row++)
    luma.set(plane.subarray(row * stride, row * stride + width), row * width);
  return readStrip(luma, width, height);
}
