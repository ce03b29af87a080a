// Fragmented MP4 for Media Source Extensions: an initialisation segment, and fragments of one track each.
// ISO/IEC 14496-12 boxes only; what a codec says of itself is in sample-entry.ts, when to write what is decided elsewhere.

export interface Mp4Track {
  /** From 1 on. */
  readonly id: number;
  readonly kind: 'video' | 'audio';
  /** Ticks a second, of all times of this track. */
  readonly timescale: number;
  /** The one sample entry of `stsd`: a whole box. */
  readonly sampleEntry: Uint8Array;
  /** Pixels; 0 for sound. */
  readonly width: number;
  readonly height: number;
}

export interface Mp4Sample {
  /** Below 2^32. */
  readonly bytes: number;
  /** Ticks, below 2^32. */
  readonly duration: number;
  /** Presentation time minus decoding time, in ticks. */
  readonly compositionOffset: number;
  /** Can be decoded by itself. */
  readonly sync: boolean;
}

/** Samples that follow on each other in one track. */
export interface Mp4Fragment {
  /** Of all fragments of a stream, rising. */
  readonly sequence: number;
  readonly track: Pick<Mp4Track, 'id'>;
  /** Of the first sample, in ticks; below 2^53. */
  readonly decodeTime: number;
  readonly samples: readonly Mp4Sample[];
}

/** These bytes behind each other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A box of these contents (§4.2). */
export function box(type: string, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, { length }) => sum + length, 8);
  return joined(u32(size), ascii(type), ...contents);
}

/** A box that begins with its version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...contents: readonly Uint8Array[]
): Uint8Array {
  return box(type, u32((version << 24) | flags), ...contents);
}

export function u8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(...values: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 2));
  values.forEach((value, i) => {
    bytes.setUint16(i * 2, value);
  });
  return new Uint8Array(bytes.buffer);
}

export function u32(...values: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => {
    bytes.setUint32(i * 4, value);
  });
  return new Uint8Array(bytes.buffer);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The unit matrix of §6.2.2. */
const upright = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** "und", undetermined (§8.4.2). */
const noLanguage = u16(0x55c4, 0);

/** `ftyp` and `moov`; durations are unknown: it is live. */
export function initSegment(tracks: readonly Mp4Track[]): Uint8Array {
  const moov = box(
    'moov',
    fullBox(
      'mvhd',
      0,
      0,
      u32(0, 0, 1000, 0, 0x10000),
      u16(0x0100, 0),
      u32(0, 0),
      upright,
      new Uint8Array(24),
      u32(Math.max(...tracks.map(({ id }) => id)) + 1),
    ),
    ...tracks.map(trackBox),
    box('mvex', ...tracks.map(({ id }) => fullBox('trex', 0, 0, u32(id, 1, 0, 0, 0)))),
  );
  return joined(box('ftyp', ascii('iso6'), u32(0), ascii('iso6mp41')), moov);
}

function trackBox({ id, kind, timescale, sampleEntry, width, height }: Mp4Track): Uint8Array {
  const video = kind === 'video';
  const enabled = 3;
  return box(
    'trak',
    fullBox(
      'tkhd',
      0,
      enabled,
      u32(0, 0, id, 0, 0, 0, 0),
      u16(0, 0, video ? 0 : 0x0100, 0),
      upright,
      u16(width, 0, height, 0),
    ),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, timescale, 0), noLanguage),
      fullBox('hdlr', 0, 0, u32(0), ascii(video ? 'vide' : 'soun'), new Uint8Array(13)),
      box(
        'minf',
        video ? fullBox('vmhd', 0, 1, new Uint8Array(8)) : fullBox('smhd', 0, 0, new Uint8Array(4)),
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
        box(
          'stbl',
          fullBox('stsd', 0, 0, u32(1), sampleEntry),
          fullBox('stts', 0, 0, u32(0)),
          fullBox('stsc', 0, 0, u32(0)),
          fullBox('stsz', 0, 0, u32(0, 0)),
          fullBox('stco', 0, 0, u32(0)),
        ),
      ),
    ),
  );
}

const moofBytes = (samples: number) => 88 + 16 * samples;

/** Bytes of a fragment before its payload: `moof` and the header of `mdat`. */
export function fragmentHeaderBytes(samples: number): number {
  return moofBytes(samples) + 8;
}

const boxType = (type: string) => [...ascii(type)].reduce((value, byte) => value * 256 + byte, 0);
const types = Object.fromEntries(
  ['moof', 'mfhd', 'traf', 'tfhd', 'tfdt', 'trun', 'mdat'].map((type) => [type, boxType(type)]),
);
const defaultBaseIsMoof = 0x020000;
/** Data offset; duration, size, flags and composition offset of each sample. */
const trunMembers = 0x000f01;
/** sample_depends_on 2: on none · 1: on others, and sample_is_non_sync_sample (§8.8.3.1). */
const syncFlags = 0x02000000;
const nonSyncFlags = 0x01010000;

/** One `moof` and `mdat` in one buffer: `payload` of it, the samples' bytes, is left for the caller to fill. */
export function fragment({ sequence, track, decodeTime, samples }: Mp4Fragment): {
  readonly data: Uint8Array;
  readonly payload: Uint8Array;
} {
  const { length } = samples;
  const headerBytes = fragmentHeaderBytes(length);
  const payloadBytes = samples.reduce((sum, { bytes }) => sum + bytes, 0);
  const data = new Uint8Array(headerBytes + payloadBytes);
  const view = new DataView(data.buffer);
  let at = 0;
  const write = (...values: readonly number[]) => {
    for (const value of values) {
      view.setUint32(at, value);
      at += 4;
    }
  };
  write(moofBytes(length), types.moof!);
  write(16, types.mfhd!, 0, sequence);
  write(moofBytes(length) - 24, types.traf!);
  write(16, types.tfhd!, defaultBaseIsMoof, track.id);
  write(20, types.tfdt!, 0x01000000, Math.floor(decodeTime / 2 ** 32), decodeTime);
  write(20 + 16 * length, types.trun!, 0x01000000 | trunMembers, length, headerBytes);
  for (const { duration, bytes, sync, compositionOffset } of samples)
    write(duration, bytes, sync ? syncFlags : nonSyncFlags, compositionOffset);
  write(8 + payloadBytes, types.mdat!);
  return { data, payload: data.subarray(headerBytes) };
}
