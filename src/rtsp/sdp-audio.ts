// Which sound of a session description is listened to, and how its packets are to be read.
// SDP itself is sdp.ts's; packets are the depacketizers'.

import { type AacConfig, buildAacConfig, parseAacConfig } from '../media/aac.ts';
import type { AudioCodec, AudioParameters } from '../media/audio.ts';
import type { RtpMap, SdpMedia, SessionDescription } from './sdp.ts';
import { readStreamMuxConfig } from './stream-mux-config.ts';

/** How sound lies in the packets of a track. */
export type AudioPayload =
  /** One frame each: samples (RFC 3551 §4.5), or an Opus packet (RFC 7587 §4.2). `bytesPerSample` over all channels. */
  | { readonly kind: 'samples'; readonly bytesPerSample: number }
  | { readonly kind: 'opus' }
  /** AAC access units behind AU headers of these bits (RFC 3640 §3.2.1). */
  | {
      readonly kind: 'mpeg4-generic';
      readonly sizeLength: number;
      readonly indexLength: number;
      readonly indexDeltaLength: number;
      /** µs. */
      readonly unitDuration: number;
    }
  /** AAC in LATM without its config (RFC 6416 §6). */
  | { readonly kind: 'latm'; readonly unitsPerElement: number; readonly unitDuration: number };

/** The sound that is listened to. */
export interface AudioTrack {
  readonly audio: AudioParameters;
  readonly payload: AudioPayload;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly control: string | undefined;
}

export type AudioChoice =
  | { readonly kind: 'track'; readonly track: AudioTrack }
  | { readonly kind: 'unsupported'; readonly codec: string }
  | { readonly kind: 'none' };

type Format = Pick<AudioTrack, 'audio' | 'payload'>;

const nothing = new Uint8Array();
const maxConfigBytes = 64;

/** Audio payload types of RFC 3551 table 4. */
const staticTypes: Readonly<Record<number, RtpMap>> = {
  0: { encoding: 'PCMU', clockRate: 8000, channels: 1 },
  3: { encoding: 'GSM', clockRate: 8000, channels: 1 },
  4: { encoding: 'G723', clockRate: 8000, channels: 1 },
  5: { encoding: 'DVI4', clockRate: 8000, channels: 1 },
  6: { encoding: 'DVI4', clockRate: 16_000, channels: 1 },
  7: { encoding: 'LPC', clockRate: 8000, channels: 1 },
  8: { encoding: 'PCMA', clockRate: 8000, channels: 1 },
  9: { encoding: 'G722', clockRate: 8000, channels: 1 },
  10: { encoding: 'L16', clockRate: 44_100, channels: 2 },
  11: { encoding: 'L16', clockRate: 44_100, channels: 1 },
  12: { encoding: 'QCELP', clockRate: 8000, channels: 1 },
  14: { encoding: 'MPA', clockRate: 90_000, channels: 1 },
  15: { encoding: 'G728', clockRate: 8000, channels: 1 },
  18: { encoding: 'G729', clockRate: 8000, channels: 1 },
};
/** What is offered beside sound: silence and keys of a telephone. */
const noSound = new Set(['CN', 'TELEPHONE-EVENT']);

function plain(codec: AudioCodec, codecString: string, map: RtpMap, payload: AudioPayload): Format {
  const { clockRate: sampleRate, channels } = map;
  return { audio: { codec, sampleRate, channels, config: nothing, codecString }, payload };
}

function aac(config: AacConfig, map: RtpMap): AudioParameters {
  return {
    codec: 'aac',
    sampleRate: config.sampleRate,
    channels: config.channels || map.channels,
    config: config.bytes,
    codecString: `mp4a.40.${config.objectType}`,
  };
}

function fromHex(text: string | undefined): Uint8Array | null {
  const hex = text?.replace(/^"|"$/g, '') ?? '';
  if (!/^([0-9a-f]{2})+$/i.test(hex) || hex.length > 2 * maxConfigBytes) return null;
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** A number of bits in the parameters; the mode's own when it is left out (RFC 3640 §3.3.5 and §3.3.6). */
function bits(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}

function mpeg4Generic(map: RtpMap, fmtp: ReadonlyMap<string, string>): Format | null {
  const mode = fmtp.get('mode')?.toLowerCase() ?? 'aac-hbr';
  if (mode !== 'aac-hbr' && mode !== 'aac-lbr') return null;
  const high = mode === 'aac-hbr';
  const sizeLength = bits(fmtp.get('sizelength'), high ? 13 : 6);
  const indexLength = bits(fmtp.get('indexlength'), high ? 3 : 2);
  const indexDeltaLength = bits(fmtp.get('indexdeltalength'), high ? 3 : 2);
  const known = sizeLength >= 1 && sizeLength <= 16 && indexLength <= 16 && indexDeltaLength <= 16;
  // Further parts of an AU header, which neither mode has.
  const more = ['ctsdeltalength', 'dtsdeltalength', 'streamstateindication', 'auxiliarydatasizelength'];
  if (!known || more.some((name) => Number(fmtp.get(name) ?? 0) !== 0)) return null;
  // Without a config, what the rtpmap says is all there is.
  const said = fromHex(fmtp.get('config'));
  const config = parseAacConfig(said ?? buildAacConfig(map.clockRate, map.channels));
  if (!config) return null;
  const { unitDuration } = config;
  const payload = { kind: 'mpeg4-generic', sizeLength, indexLength, indexDeltaLength, unitDuration } as const;
  return { audio: aac(config, map), payload };
}

function latm(map: RtpMap, fmtp: ReadonlyMap<string, string>): Format | null {
  // The config among the packets (cpresent=1, the standard's own default) is no camera's habit.
  const said = fromHex(fmtp.get('config'));
  const mux = said && fmtp.get('cpresent') === '0' ? readStreamMuxConfig(said) : null;
  if (!mux) return null;
  const { unitDuration } = mux.config;
  const payload = { kind: 'latm', unitsPerElement: mux.unitsPerElement, unitDuration } as const;
  return { audio: aac(mux.config, map), payload };
}

function formatOf(map: RtpMap, fmtp: ReadonlyMap<string, string>): Format | null {
  const { channels } = map;
  switch (map.encoding) {
    case 'PCMU':
      return plain('pcmu', 'ulaw', map, { kind: 'samples', bytesPerSample: channels });
    case 'PCMA':
      return plain('pcma', 'alaw', map, { kind: 'samples', bytesPerSample: channels });
    case 'L16':
      return plain('l16', 'pcm-s16be', map, { kind: 'samples', bytesPerSample: 2 * channels });
    case 'OPUS':
      // Always opus/48000/2 (RFC 7587 §7); whether it is stereo, the sender says beside it.
      return plain(
        'opus',
        'opus',
        { ...map, clockRate: 48_000, channels: fmtp.get('sprop-stereo') === '1' ? 2 : 1 },
        { kind: 'opus' },
      );
    case 'MPEG4-GENERIC':
      return mpeg4Generic(map, fmtp);
    case 'MP4A-LATM':
      return latm(map, fmtp);
    default:
      return null;
  }
}

function isUsable({ audio }: Format): boolean {
  return (
    audio.sampleRate >= 4000 && audio.sampleRate <= 192_000 && audio.channels >= 1 && audio.channels <= 8
  );
}

function trackOf(media: SdpMedia, payloadType: number, map: RtpMap): AudioTrack | null {
  const format = formatOf(map, media.fmtp.get(payloadType) ?? new Map());
  if (!format || !isUsable(format)) return null;
  const clockRate = map.clockRate || format.audio.sampleRate;
  return { ...format, payloadType, clockRate, control: media.control };
}

/** The first sound that can be used; else the name of a codec that cannot, else none. */
export function chooseAudio(description: SessionDescription): AudioChoice {
  let unsupported: string | undefined;
  for (const media of description.media) {
    if (media.kind !== 'audio') continue;
    for (const payloadType of media.payloadTypes) {
      const map = media.rtpmap.get(payloadType) ?? staticTypes[payloadType];
      const track = map ? trackOf(media, payloadType, map) : null;
      if (track) return { kind: 'track', track };
      const name = map?.encoding.replace(/[^\x20-\x7e]/g, '') || `payload type ${payloadType}`;
      if (!noSound.has(name)) unsupported ??= name.slice(0, 40);
    }
  }
  return unsupported === undefined ? { kind: 'none' } : { kind: 'unsupported', codec: unsupported };
}
