// The session description of a simulated camera (RFC 4566, fmtp of RFC 6184 and RFC 7798).
// Written only; src/rtsp reads it.

import type { Behaviour } from './behaviour.ts';
import type { Clip } from './clip.ts';
import { payloadTypes } from './packetize.ts';

export const videoControl = 'trackID=1';
export const audioControl = 'trackID=0';

export function describeClip(clip: Clip, behaviour: Behaviour): string {
  const lines = [
    'v=0',
    'o=- 0 1 IN IP4 127.0.0.1',
    's=Simulated camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
  ];
  if (behaviour.audioFirst || behaviour.withoutVideo)
    lines.push('m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', `a=control:${audioControl}`);
  if (!behaviour.withoutVideo) lines.push(...videoLines(clip, behaviour));
  return `${lines.join('\r\n')}\r\n`;
}

function videoLines(clip: Clip, behaviour: Behaviour): string[] {
  const type = payloadTypes[clip.codec];
  const encoding = { h264: 'H264', h265: 'H265', mjpeg: 'JPEG' }[clip.codec];
  const lines = [`m=video 0 RTP/AVP ${type}`, `a=rtpmap:${type} ${encoding}/90000`];
  const format = formatParameters(clip, behaviour.sdpParameterSets);
  if (format) lines.push(`a=fmtp:${type} ${format}`);
  lines.push(`a=framerate:${clip.fps}`, `a=control:${videoControl}`);
  return lines;
}

/** SPS and PPS of a 320×240 baseline video: valid, and not of this clip. */
const foreignH264 = ['Z0LAFNoFB+wEQAAAAwBAAAAHo8UKqA==', 'aM48gA=='];

function formatParameters(clip: Clip, sets: Behaviour['sdpParameterSets']): string {
  const base64 = clip.parameterSets.map((set) => Buffer.from(set).toString('base64'));
  if (clip.codec === 'h264') {
    const profile = Buffer.from(clip.parameterSets[0] ?? []).toString('hex', 1, 4);
    const parts = ['packetization-mode=1', `profile-level-id=${profile || '42c01e'}`];
    if (sets !== 'omitted')
      parts.push(`sprop-parameter-sets=${(sets === 'wrong' ? foreignH264 : base64).join(',')}`);
    return parts.join(';');
  }
  if (clip.codec === 'h265' && sets === 'right') {
    const [vps, sps, pps] = base64;
    return `sprop-vps=${vps};sprop-sps=${sps};sprop-pps=${pps}`;
  }
  return '';
}
