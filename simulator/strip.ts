// The machine-readable frame counter: a row of black and white blocks along the bottom of the picture, drawn and read.
// Pure functions on pixel arrays, no imports: they run in tests, benchmarks and, by `stripReaderSource`, in a browser.

/** Blocks in a row: white, black, 20 bits of counter, 8 bits of CRC, black, white. */
export const stripBlocks = 32;
/** The strip is the lowest 1/24 of the picture: 20 px of 480, so every block of a 640×480 picture is 20×20. */
export const stripHeightFraction = 1 / 24;
/** Counters are drawn modulo this. */
export const stripCounters = 1 << 20;

/** The 32 blocks of a counter, `true` is white. CRC-8 with polynomial 0x07 over the 20 counter bits. */
export function stripBits(counter: number): boolean[] {
  const bits = [true, false];
  let crc = 0;
  for (let shift = 19; shift >= 0; shift--) {
    const bit = (counter >> shift) & 1;
    bits.push(bit === 1);
    crc = ((crc >> 7) ^ bit) & 1 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  for (let shift = 7; shift >= 0; shift--) bits.push(((crc >> shift) & 1) === 1);
  bits.push(false, true);
  return bits;
}

/**
 * Draws `counter` into the lowest rows of a picture.
 * @param rgb rows × columns × 3, RGB8, written to.
 */
export function drawStrip(rgb: Uint8Array, width: number, height: number, counter: number): void {
  const bits = stripBits(counter);
  const top = Math.round(height * (1 - 1 / 24));
  for (let x = 0; x < width; x++) {
    const value = bits[Math.floor((x * 32) / width)] ? 235 : 16;
    for (let y = top; y < height; y++) rgb.fill(value, (y * width + x) * 3, (y * width + x) * 3 + 3);
  }
}

/**
 * Reads the counter from a picture that shows the whole scene at any size, or `null` when there is none to be read.
 * @param pixels rows × columns × 1 (luma), 3 (RGB) or 4 (RGBA), 8 bits each; the count follows from the length.
 */
export function readStrip(
  pixels: { readonly [index: number]: number; readonly length: number },
  width: number,
  height: number,
): number | null {
  const channels = Math.floor(pixels.length / (width * height));
  if (channels < 1 || width < 64 || height < 48) return null;
  const levels: number[] = [];
  // The middle of each block only: scaling and compression blur the edges.
  const top = Math.ceil(height * (1 - 0.72 / 24));
  const bottom = Math.max(top + 1, Math.floor(height * (1 - 0.28 / 24)));
  for (let block = 0; block < 32; block++) {
    const left = Math.ceil(((block + 0.3) * width) / 32);
    const right = Math.max(left + 1, Math.floor(((block + 0.7) * width) / 32));
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const at = (y * width + x) * channels;
        sum += (channels === 1 ? pixels[at] : pixels[at + 1]) ?? 0;
      }
    }
    levels.push(sum / ((bottom - top) * (right - left)));
  }
  const white = ((levels[0] ?? 0) + (levels[31] ?? 0)) / 2;
  const black = ((levels[1] ?? 0) + (levels[30] ?? 0)) / 2;
  if (white - black < 60) return null;
  let counter = 0;
  for (let bit = 2; bit < 22; bit++)
    counter = counter * 2 + ((levels[bit] ?? 0) > (white + black) / 2 ? 1 : 0);
  const wanted = stripBits(counter);
  for (let block = 0; block < 32; block++) {
    if ((levels[block] ?? 0) > (white + black) / 2 !== wanted[block]) return null;
  }
  return counter;
}

/** JavaScript that declares `readStrip`, to be evaluated in a page that looks at its own canvas. */
export const stripReaderSource = `${stripBits.toString()}\n${readStrip.toString()}`;
