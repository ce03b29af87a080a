// Sound to RTP packets: AAC (RFC 3640, AAC-hbr), Opus (RFC 7587), samples (RFC 3551); and what SDP says of it.
// Packets are built once per unit of a clip, as the video's are.

import type { AudioClip } from './audio.ts';
import { layPackets, maxPayload, type UnitPackets } from './packetize.ts';

export const audioPayloadTypes = { aac: 97, opus: 97, pcmu: 0, pcma: 8, l16: 97 } as const;

/** RFC 3640 §3.2.1: one AU header of 13 + 3 bits, the same before each fragment. */
function aacPayloads(unit: Uint8Array): Uint8Array[] {
  const head = Uint8Array.of(0, 16, unit.length >> 5, (unit.length << 3) & 0xff);
  const room = maxPayload - head.length;
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < unit.length; at += room)
    payloads.push(Buffer.concat([head, unit.subarray(at, at + room)]));
  return payloads;
}

export function buildAudioPackets({ codec, units }: AudioClip): UnitPackets[] {
  return units.map((unit) =>
    layPackets(codec === 'aac' ? aacPayloads(unit) : [unit], audioPayloadTypes[codec], 2),
  );
}

/** The media section, without its control. */
export function describeSound({ codec, sampleRate, config }: AudioClip): string[] {
  const type = audioPayloadTypes[codec];
  const name = {
    aac: `MPEG4-GENERIC/${sampleRate}/1`,
    opus: 'opus/48000/2',
    pcmu: `PCMU/${sampleRate}`,
    pcma: `PCMA/${sampleRate}`,
    l16: `L16/${sampleRate}/1`,
  }[codec];
  const lines = [`m=audio 0 RTP/AVP ${type}`, `a=rtpmap:${type} ${name}`];
  if (codec === 'aac') {
    const hex = Buffer.from(config).toString('hex').toUpperCase();
    lines.push(
      `a=fmtp:${type} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=${hex}`,
    );
  }
  return lines;
}
