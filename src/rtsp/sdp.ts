// SDP (RFC 4566) as cameras really write it: what can be used is taken, the rest ignored; nothing here throws.
// Which track is watched is decided here; how it is set up is the session's business.

import type { VideoCodec } from '../media/access-unit.ts';

/** `a=rtpmap`: the encoding in upper case; a rate or channels that make no sense are 0. */
export interface RtpMap {
  readonly encoding: string;
  readonly clockRate: number;
  /** The encoding parameter: for audio the channels, 1 when it is left out. */
  readonly channels: number;
}

export interface SdpMedia {
  /** `video`, `audio`, `application`… in lower case. */
  readonly kind: string;
  readonly payloadTypes: readonly number[];
  readonly control: string | undefined;
  readonly rtpmap: ReadonlyMap<number, RtpMap>;
  /** Names in lower case. */
  readonly fmtp: ReadonlyMap<number, ReadonlyMap<string, string>>;
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly fps: number | null;
}

export interface SessionDescription {
  readonly control: string | undefined;
  readonly media: readonly SdpMedia[];
}

/** The video that is watched. */
export interface VideoTrack {
  readonly codec: VideoCodec;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly control: string | undefined;
  /** NAL units without start codes; may be wrong or empty, in-band ones overrule them. */
  readonly parameterSets: readonly Uint8Array[];
  /** H.265: decoding order numbers stand in the packets (RFC 7798 §4.4). */
  readonly donl: boolean;
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly fps: number | null;
}

export type VideoChoice =
  | { readonly kind: 'track'; readonly track: VideoTrack }
  | { readonly kind: 'unsupported'; readonly codec: string }
  | { readonly kind: 'none' };

const limits = {
  lines: 4096,
  media: 32,
  payloadTypes: 32,
  parameters: 64,
  parameterSets: 16,
  setBytes: 4096,
};

type MutableMedia = { -readonly [K in keyof SdpMedia]: SdpMedia[K] } & {
  rtpmap: Map<number, RtpMap>;
  fmtp: Map<number, Map<string, string>>;
};

function startMedia(value: string): MutableMedia {
  const [kind = '', , , ...formats] = value.split(/\s+/, 4 + limits.payloadTypes);
  const payloadTypes = formats.filter((text) => /^\d{1,3}$/.test(text)).map(Number);
  return {
    kind: kind.toLowerCase(),
    payloadTypes: payloadTypes.filter((type) => type < 128),
    control: undefined,
    rtpmap: new Map(),
    fmtp: new Map(),
    size: null,
    fps: null,
  };
}

function parseFmtp(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const part of text.split(';', limits.parameters)) {
    const equals = part.indexOf('=');
    if (equals > 0) values.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  return values;
}

function readSize(text: string): { width: number; height: number } | null {
  const match = /(\d{1,5})\s*[-,x]\s*(\d{1,5})\s*$/.exec(text);
  const width = Number(match?.[1] ?? 0);
  const height = Number(match?.[2] ?? 0);
  return width > 0 && height > 0 ? { width, height } : null;
}

function readMediaAttribute(media: MutableMedia, name: string, value: string): void {
  if (name === 'control') media.control = value;
  if (name === 'framerate') {
    const fps = Number(value.replace(',', '.'));
    if (fps > 0 && fps <= 300) media.fps = fps;
  }
  if (name === 'framesize' || name === 'x-dimensions') media.size ??= readSize(value);
  const match = /^(\d{1,3})\s+(.*)$/.exec(value);
  if (!match) return;
  const payloadType = Number(match[1]);
  if (name === 'fmtp' && media.fmtp.size < limits.payloadTypes)
    media.fmtp.set(payloadType, parseFmtp(match[2]!));
  if (name === 'rtpmap' && media.rtpmap.size < limits.payloadTypes) {
    const [encoding = '', rate = '', channels = '1'] = match[2]!.trim().split('/');
    media.rtpmap.set(payloadType, {
      encoding: encoding.trim().toUpperCase(),
      clockRate: /^\d{1,9}$/.test(rate.trim()) ? Number(rate) : 0,
      channels: /^\d{1,3}$/.test(channels.trim()) ? Number(channels) : 0,
    });
  }
}

export function parseSdp(body: Uint8Array | string): SessionDescription {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const all: MutableMedia[] = [];
  let control: string | undefined;
  let media: MutableMedia | undefined;
  for (const raw of text.split(/\r\n|\n|\r/, limits.lines)) {
    const line = raw.trim();
    if (line.startsWith('m=')) {
      if (all.length === limits.media) break;
      media = startMedia(line.slice(2).trim());
      all.push(media);
    } else if (line.startsWith('a=')) {
      const colon = line.indexOf(':');
      if (colon === -1) continue;
      const name = line.slice(2, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      if (media) readMediaAttribute(media, name, value);
      else if (name === 'control') control = value;
    }
  }
  return { control, media: all };
}

function decodeParameterSets(texts: readonly (string | undefined)[]): Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (const text of texts)
    for (const part of (text ?? '').split(',', limits.parameterSets)) {
      const bytes = Buffer.from(part.replace(/^"|"$/g, ''), 'base64').subarray(0, limits.setBytes);
      // Some cameras leave the start code in.
      const zeros = bytes.findIndex((byte) => byte !== 0);
      const nal = zeros >= 2 && bytes[zeros] === 1 ? bytes.subarray(zeros + 1) : bytes;
      if (nal.length > 2 && sets.length < limits.parameterSets) sets.push(new Uint8Array(nal));
    }
  return sets;
}

function codecOf(media: SdpMedia, payloadType: number): VideoCodec | null {
  const encoding = media.rtpmap.get(payloadType)?.encoding;
  const fmtp = media.fmtp.get(payloadType);
  if (encoding === 'H264') return 'h264';
  if (encoding === 'H265' || encoding === 'HEVC') return 'h265';
  if (encoding === 'JPEG') return 'mjpeg';
  if (encoding !== undefined) return null;
  // No rtpmap: the static types of RFC 3551, or what only one codec's parameters say.
  if (payloadType === 26) return 'mjpeg';
  if (fmtp?.has('sprop-parameter-sets') || fmtp?.has('packetization-mode')) return 'h264';
  return fmtp?.has('sprop-sps') ? 'h265' : null;
}

function makeTrack(media: SdpMedia, payloadType: number, codec: VideoCodec): VideoTrack {
  const fmtp = media.fmtp.get(payloadType);
  const names = {
    h264: ['sprop-parameter-sets'],
    h265: ['sprop-vps', 'sprop-sps', 'sprop-pps'],
    mjpeg: [],
  }[codec];
  return {
    codec,
    payloadType,
    clockRate: media.rtpmap.get(payloadType)?.clockRate || 90_000,
    control: media.control,
    parameterSets: decodeParameterSets(names.map((name) => fmtp?.get(name))),
    donl: codec === 'h265' && Number(fmtp?.get('sprop-max-don-diff') ?? 0) > 0,
    size: media.size,
    fps: media.fps,
  };
}

/** The first video that can be shown; else the name of a codec that cannot, else none. */
export function chooseVideo(description: SessionDescription): VideoChoice {
  let unsupported: string | undefined;
  for (const media of description.media) {
    if (media.kind !== 'video') continue;
    for (const payloadType of media.payloadTypes) {
      const codec = codecOf(media, payloadType);
      if (codec) return { kind: 'track', track: makeTrack(media, payloadType, codec) };
      unsupported ??= media.rtpmap.get(payloadType)?.encoding ?? staticNames[payloadType];
      unsupported ??= `payload type ${payloadType}`;
    }
  }
  return unsupported === undefined
    ? { kind: 'none' }
    : { kind: 'unsupported', codec: unsupported.slice(0, 40) };
}

/** Video payload types of RFC 3551 table 5. */
const staticNames: Readonly<Record<number, string>> = {
  25: 'CelB',
  28: 'nv',
  31: 'H261',
  32: 'MPV',
  34: 'H263',
};

function isUsableUrl(text: string): boolean {
  return text.length <= 4096 && /^rtsps?:\/\/[\x21-\x7e]+$/i.test(text);
}

/** The first of Content-Base, Content-Location and the request's own address that is an RTSP address. */
export function baseUrl(
  contentBase: string | undefined,
  contentLocation: string | undefined,
  request: string,
): string {
  return [contentBase, contentLocation].map((text) => text?.trim() ?? '').find(isUsableUrl) ?? request;
}

/**
 * The address of a track or of the whole session (RFC 2326 appendix C.1.1). Relative ones are appended behind one
 * slash, query or not, as cameras expect, not resolved as RFC 1808 would.
 */
export function controlUrl(base: string, control: string | undefined): string {
  const text = (control ?? '').trim();
  if (text === '' || text === '*') return base;
  if (isUsableUrl(text)) return text;
  const safe = text.replace(/[^\x21-\x7e]/gu, (char) => encodeURIComponent(char.toWellFormed()));
  return `${base.replace(/\/$/, '')}/${safe.replace(/^\//, '')}`.slice(0, 8000);
}
