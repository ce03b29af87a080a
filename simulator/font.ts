// A tiny 5×7 bitmap font for the clock and the labels in the made picture.
// Letters, digits and a few signs only; no measuring beyond fixed-width cells.

/** Seven rows a glyph, five bits each, top row first, most significant bit on the left. */
const glyphs: Readonly<Record<string, readonly number[]>> = {
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 2, 4, 8, 31],
  '3': [31, 2, 4, 2, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  ':': [0, 4, 4, 0, 4, 4, 0],
  '.': [0, 0, 0, 0, 0, 12, 12],
  '-': [0, 0, 0, 31, 0, 0, 0],
  '/': [1, 1, 2, 4, 8, 16, 16],
  '#': [10, 10, 31, 10, 31, 10, 10],
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [28, 18, 17, 17, 17, 18, 28],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 15],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 17, 25, 21, 19, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  Q: [14, 17, 17, 17, 21, 18, 13],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 21, 10],
  X: [17, 17, 10, 4, 10, 17, 17],
  Y: [17, 17, 17, 10, 4, 4, 4],
  Z: [31, 1, 2, 4, 8, 16, 31],
};

/** Pixels from one character to the next, at scale 1. */
export const cellWidth = 6;
export const cellHeight = 7;

/**
 * Calls `plot` for every lit pixel of `text`. Characters without a glyph are blank.
 * @param x left edge, px. @param y top edge, px. @param scale pixels a dot.
 */
export function plotText(
  text: string,
  x: number,
  y: number,
  scale: number,
  plot: (x: number, y: number) => void,
): void {
  for (const [index, character] of [...text.toUpperCase()].entries()) {
    const rows = glyphs[character];
    if (!rows) continue;
    for (let dotY = 0; dotY < cellHeight * scale; dotY++) {
      const row = rows[Math.floor(dotY / scale)] ?? 0;
      for (let dotX = 0; dotX < 5 * scale; dotX++) {
        if ((row >> (4 - Math.floor(dotX / scale))) & 1) plot(x + index * cellWidth * scale + dotX, y + dotY);
      }
    }
  }
}
