import { expect, it } from 'vitest';
import type { AccessUnit } from '../../media/access-unit.ts';
import { buildRtp, createRtpPacket, parseRtp } from '../rtp.ts';
import { H264Depacketizer } from './h264.ts';

const sets = ['Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==', 'aMuMsg=='].map((text) =>
  Uint8Array.from(Buffer.from(text, 'base64')),
);
const packetBytes = 1400;

/** Five groups of 30 pictures of these sizes in bytes, as fragments; called after each with all since the keyframe. */
function play(keyframe: number, others: number, look: (recent: readonly AccessUnit[]) => void): void {
  let recent: AccessUnit[] = [];
  const depacketizer = new H264Depacketizer(sets, {
    onVideo: () => undefined,
    onAccessUnit: (unit) => {
      recent = unit.keyframe ? [unit] : [...recent, unit];
      look(recent);
    },
    onDropped: (reason) => expect.unreachable(reason),
  });
  const packet = createRtpPacket();
  let sequence = 0;
  for (let picture = 0; picture < 150; picture++) {
    const key = picture % 30 === 0;
    const count = Math.ceil((key ? keyframe : others) / packetBytes);
    for (let i = 0; i < count; i++) {
      const last = i === count - 1;
      const payload = new Uint8Array(packetBytes).fill(0x91);
      payload[0] = 0x7c;
      payload[1] = (key ? 5 : 1) | (i === 0 ? 0x80 : 0) | (last ? 0x40 : 0);
      const header = { payloadType: 96, marker: last, sequence: sequence++ & 0xffff, ssrc: 1 };
      parseRtp(buildRtp({ ...header, timestamp: 6000 * picture }, payload), packet);
      depacketizer.push(packet, 66_667 * picture, 66 * picture, false);
    }
  }
}

it.each([
  [3_000, 1_000],
  [30_000, 3_000],
  [40_000, 33_000],
  [70_000, 66_000],
  [300_000, 40_000],
  [2_200_000, 300_000],
])('units of %i and %i bytes that are kept hold at most twice their bytes and 400 KB', (keyframe, others) => {
  let units = 0;
  play(keyframe, others, (recent) => {
    units++;
    const bytes = recent.reduce((sum, { data }) => sum + data.length, 0);
    const memory = new Set(recent.map(({ data }) => data.buffer));
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(held).toBeLessThanOrEqual(2 * bytes + 400_000);
  });
  expect(units).toBe(150);
});
