// The size of a JPEG image, found by walking its markers (ITU-T T.81 annex B).
// Nothing is decoded here.

export interface JpegSize {
  readonly width: number;
  readonly height: number;
}

/** SOF0…SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Markers without a length: TEM, RST0…RST7, SOI. */
function standsAlone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** Size of the image in pixels, or null when `data` is no JPEG with a frame header. */
export function jpegSize(data: Uint8Array): JpegSize | null {
  if (data.length < 4 || data[0] !== 0xff || data[1] !== 0xd8) return null;
  return findFrameHeader(data, 2);
}

/** The frame header at or after the segment that begins at `start`; null when scan data or the end comes first. */
export function findFrameHeader(data: Uint8Array, start: number): JpegSize | null {
  let at = start;
  while (at + 3 < data.length && data[at] === 0xff) {
    const marker = data[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (standsAlone(marker)) {
      at += 2;
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) return null;
    const length = (data[at + 2]! << 8) | data[at + 3]!;
    if (isFrameHeader(marker)) {
      if (length < 8 || at + 9 > data.length) return null;
      const height = (data[at + 5]! << 8) | data[at + 6]!;
      const width = (data[at + 7]! << 8) | data[at + 8]!;
      return width > 0 && height > 0 ? { width, height } : null;
    }
    if (length < 2) return null;
    at += 2 + length;
  }
  return null;
}
