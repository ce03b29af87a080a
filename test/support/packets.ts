// What a viewer of `format=annexb` or `format=mp4` gets, taken apart.
// Reading only; watching is in viewer.ts.

import { splitAnnexB } from '../../src/media/nal.ts';

export interface AnnexBPacket {
  readonly kind: number;
  readonly keyframe: boolean;
  readonly sequence: number;
  /** µs. */
  readonly timestamp: number;
  readonly unit: Uint8Array;
}

/** @throws Error for a message that is none. */
export function readAnnexB(message: Uint8Array): AnnexBPacket {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (message.length <= 16 || view.getUint16(2) !== 0) throw new Error('no message of format annexb');
  return {
    kind: view.getUint8(0),
    keyframe: (view.getUint8(1) & 1) !== 0,
    sequence: view.getUint32(4),
    timestamp: Number(view.getBigUint64(8)),
    unit: message.subarray(16),
  };
}

export interface Mp4Box {
  readonly type: string;
  readonly body: Uint8Array;
}

/** The boxes that stand side by side in these bytes. @throws Error when they do not fit. */
export function readBoxes(bytes: Uint8Array): Mp4Box[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes: Mp4Box[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > bytes.length) throw new Error(`a box of ${size} bytes at ${at}`);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    boxes.push({ type, body: bytes.subarray(at + 8, at + size) });
    at += size;
  }
  return boxes;
}

/** The body of the first box on this path, as in `moov/trak/mdia`. @throws Error when there is none. */
export function findBox(bytes: Uint8Array, path: string): Uint8Array {
  let body = bytes;
  for (const type of path.split('/')) {
    const found = readBoxes(body).find((box) => box.type === type);
    if (!found) throw new Error(`no ${type} of ${path}`);
    body = found.body;
  }
  return body;
}

export interface Mp4Fragment {
  readonly sequence: number;
  readonly track: number;
  /** Ticks, as the other times. */
  readonly decodeTime: number;
  readonly duration: number;
  readonly compositionOffset: number;
  readonly sync: boolean;
  /** NAL units of the sample. */
  readonly nals: readonly Uint8Array[];
}

/** @throws Error for a message that is no fragment of one sample as the service writes it. */
export function readFragment(message: Uint8Array): Mp4Fragment {
  const view = (body: Uint8Array) => new DataView(body.buffer, body.byteOffset, body.byteLength);
  const trun = view(findBox(message, 'moof/traf/trun'));
  const mdat = findBox(message, 'mdat');
  if (trun.getUint32(4) !== 1) throw new Error('more than one sample');
  if (trun.getUint32(8) !== mdat.byteOffset - message.byteOffset) throw new Error('the data is elsewhere');
  if (trun.getUint32(16) !== mdat.length) throw new Error('the sample has another size than the data');
  const nals: Uint8Array[] = [];
  for (let at = 0; at < mdat.length; ) {
    const size = view(mdat).getUint32(at);
    nals.push(mdat.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return {
    sequence: view(findBox(message, 'moof/mfhd')).getUint32(4),
    track: view(findBox(message, 'moof/traf/tfhd')).getUint32(4),
    decodeTime: Number(view(findBox(message, 'moof/traf/tfdt')).getBigUint64(4)),
    duration: trun.getUint32(12),
    compositionOffset: trun.getInt32(24),
    sync: (trun.getUint32(20) & 0x00010000) === 0,
    nals,
  };
}

export function isInitSegment(message: Uint8Array): boolean {
  return readBoxes(message)[0]?.type === 'ftyp';
}

/** The NAL units of an access unit in Annex B without its parameter sets, as an MP4 sample holds them. */
export function picturesOf(codec: 'h264' | 'h265', unit: Uint8Array): Uint8Array[] {
  return splitAnnexB(unit).filter((nal) => {
    const type = codec === 'h264' ? nal[0]! & 0x1f : (nal[0]! >> 1) & 0x3f;
    return codec === 'h264' ? type !== 7 && type !== 8 : type < 32 || type > 34;
  });
}
