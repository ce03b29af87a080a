// How large a picture becomes: inside the wanted size, never enlarged, aspect kept, even.
// Pure arithmetic.

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Even, at least 2, at most `max` (which may be odd). */
function even(value: number, max: number): number {
  return Math.max(2, Math.min(Math.round(value / 2) * 2, Math.floor(max / 2) * 2));
}

/**
 * @param pixelAspect width ÷ height of one source pixel; pictures have square pixels, so it is worked into the size.
 *   Values that no camera means (0, below 1:4, above 4:1) count as 1.
 */
export function fitInside(source: Size, pixelAspect: number, box: Size): Size {
  const aspect = pixelAspect >= 0.25 && pixelAspect <= 4 ? pixelAspect : 1;
  const shownWidth = source.width * aspect;
  // 1 / aspect: wide pixels are squared by losing rows, not by inventing columns.
  const scale = Math.min(1, 1 / aspect, box.width / shownWidth, box.height / source.height);
  return {
    width: even(shownWidth * scale, Math.min(source.width, box.width)),
    height: even(source.height * scale, Math.min(source.height, box.height)),
  };
}
