// JPEG images to RTP payloads (RFC 2435), with the quantisation tables in-band (Q = 255).
// Only what a receiver can rebuild: baseline, three components, 4:2:0 or 4:2:2, standard Huffman tables.

interface JpegParts {
  readonly width: number;
  readonly height: number;
  /** RFC 2435 §4.1: 0 is 4:2:2, 1 is 4:2:0. */
  readonly type: 0 | 1;
  /** Luma and chroma, 64 bytes each in zigzag order. */
  readonly tables: Uint8Array;
  readonly restartInterval: number;
  /** Entropy-coded data, end-of-image marker included. */
  readonly scan: Uint8Array;
}

/** @throws Error when the image is of a kind that RFC 2435 cannot carry. */
export function jpegPayloads(jpeg: Uint8Array, maxPayload: number): Uint8Array[] {
  const parts = parseJpeg(jpeg);
  const restart = parts.restartInterval > 0;
  const payloads: Uint8Array[] = [];
  let at = 0;
  while (at < parts.scan.length) {
    const tables = at === 0 ? Buffer.concat([Uint8Array.of(0, 0, 0, 128), parts.tables]) : new Uint8Array();
    const header = Buffer.alloc(8 + (restart ? 4 : 0));
    header.writeUIntBE(at, 1, 3);
    header[4] = parts.type + (restart ? 64 : 0);
    header[5] = 255;
    header[6] = parts.width / 8;
    header[7] = parts.height / 8;
    if (restart) {
      header.writeUInt16BE(parts.restartInterval, 8);
      // No packet boundary is aligned to an interval: first, last and count all set (§3.1.7).
      header.writeUInt16BE(0xffff, 10);
    }
    const room = maxPayload - header.length - tables.length;
    payloads.push(Buffer.concat([header, tables, parts.scan.subarray(at, at + room)]));
    at += room;
  }
  return payloads;
}

function parseJpeg(jpeg: Uint8Array): JpegParts {
  const view = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.length);
  const quantisation = new Map<number, Uint8Array>();
  let restartInterval = 0;
  let frame: { width: number; height: number; components: { sampling: number; table: number }[] } | null =
    null;
  let at = 2;
  while (at + 4 <= view.length) {
    const marker = view[at + 1]!;
    const length = view.readUInt16BE(at + 2);
    const segment = view.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (marker === 0xdb) readTables(segment, quantisation);
    else if (marker === 0xdd) restartInterval = segment.readUInt16BE(0);
    else if (marker === 0xc0) frame = readFrame(segment);
    else if (marker > 0xc0 && marker < 0xd0 && marker !== 0xc4)
      throw new Error('Only baseline JPEG goes over RTP.');
    else if (marker === 0xda) break;
  }
  if (!frame) throw new Error('The JPEG image has no frame header.');
  const [luma, chroma] = frame.components;
  if (frame.components.length !== 3 || !luma || !chroma || chroma.sampling !== 0x11)
    throw new Error('Only JPEG with three components, chroma not subsampled against itself, goes over RTP.');
  if (luma.sampling !== 0x22 && luma.sampling !== 0x21)
    throw new Error('Only 4:2:0 and 4:2:2 JPEG goes over RTP.');
  const tables = [luma.table, chroma.table].map((id) => quantisation.get(id));
  if (!tables[0] || !tables[1]) throw new Error('The JPEG image lacks a quantisation table.');
  if (frame.width % 8 || frame.height % 8 || frame.width > 2040 || frame.height > 2040)
    throw new Error('JPEG over RTP needs sides that are multiples of 8, up to 2040.');
  return {
    width: frame.width,
    height: frame.height,
    type: luma.sampling === 0x22 ? 1 : 0,
    tables: Buffer.concat([tables[0], tables[1]]),
    restartInterval,
    scan: view.subarray(at),
  };
}

function readTables(segment: Buffer, tables: Map<number, Uint8Array>): void {
  for (let at = 0; at + 65 <= segment.length; at += 65) {
    if (segment[at]! >> 4 !== 0) throw new Error('Only 8-bit quantisation tables go over RTP.');
    tables.set(segment[at]! & 0x0f, segment.subarray(at + 1, at + 65));
  }
}

function readFrame(segment: Buffer) {
  const components: { sampling: number; table: number }[] = [];
  for (let i = 0; i < segment[5]!; i++)
    components.push({ sampling: segment[7 + i * 3]!, table: segment[8 + i * 3]! });
  return { height: segment.readUInt16BE(1), width: segment.readUInt16BE(3), components };
}
