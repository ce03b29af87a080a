// The session description of a simulated camera (RFC 4566, fmtp of RFC 6184 and RFC 7798).
// Written only; src/rtsp reads it.

import type { AudioClip } from './audio.ts';
import type { Behaviour } from './behaviour.ts';
import type { Clip } from './clip.ts';
import { payloadTypes } from './packetize.ts';
import { describeSound } from './packetize-audio.ts';

export const videoControl = 'trackID=1';
export const audioControl = 'trackID=0';

export function describeClip(clip: Clip, audio: AudioClip | null, behaviour: Behaviour): string {
  const lines = [
    'v=0',
    'o=- 0 1 IN IP4 127.0.0.1',
    's=Simulated camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
  ];
  const sound = audio ? describeSound(audio) : ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'];
  sound.push(`a=control:${audioControl}`);
  const first = behaviour.audioFirst || behaviour.withoutVideo;
  if (first) lines.push(...sound);
  if (!behaviour.withoutVideo) lines.push(...videoLines(clip, behaviour));
  if (audio && !first) lines.push(...sound);
  for (let bytes = behaviour.sdpPaddingBytes; bytes > 0; bytes -= paddingLine.length + 2)
    lines.push(paddingLine);
  return `${lines.join('\r\n')}\r\n`;
}

const paddingLine = `a=x-padding:${'.'.repeat(500)}`;

function videoLines(clip: Clip, behaviour: Behaviour): string[] {
  const type = payloadTypes[clip.codec];
  const encoding = { h264: 'H264', h265: 'H265', mjpeg: 'JPEG' }[clip.codec];
  const lines = [`m=video 0 RTP/AVP ${type}`, `a=rtpmap:${type} ${encoding}/90000`];
  const format = formatParameters(clip, behaviour.sdpParameterSets);
  if (format) lines.push(`a=fmtp:${type} ${format}`);
  lines.push(`a=framerate:${clip.fps}`, `a=control:${videoControl}`);
  return lines;
}

/** Parameter sets of a 320×240 video at 15 frames a second: valid, and not of this clip. */
const foreignSets = {
  h264: ['Z0LADNoFB+moMDAyAAADAAIAAAMAPR4oVUA=', 'aM4PyA=='],
  h265: [
    'QAEMAf//AWAAAAMAkAAAAwAAAwA8ugJA',
    'QgEBAWAAAAMAkAAAAwAAAwA8oAoIDxZbpKTC5qDAwMCAAAADAIAAAAeE',
    'RAHAc8CJ',
  ],
} as const;

function formatParameters(clip: Clip, sets: Behaviour['sdpParameterSets']): string {
  if (clip.codec === 'mjpeg') return '';
  const own = clip.parameterSets.map((set) => Buffer.from(set).toString('base64'));
  const shown = { right: own, wrong: foreignSets[clip.codec], omitted: [] }[sets];
  const parts: string[] = [];
  if (clip.codec === 'h264') {
    const profile = Buffer.from(clip.parameterSets[0] ?? []).toString('hex', 1, 4);
    parts.push('packetization-mode=1', `profile-level-id=${profile || '42c01e'}`);
    if (shown.length > 0) parts.push(`sprop-parameter-sets=${shown.join(',')}`);
  } else if (shown.length > 0)
    parts.push(`sprop-vps=${shown[0]}`, `sprop-sps=${shown[1]}`, `sprop-pps=${shown[2]}`);
  return parts.join(';');
}
