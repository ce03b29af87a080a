// How many columns a wall needs so that its tiles get as large as they can: numbers only.
// What is in the tiles, and where the numbers come from, is the wall's business.

export interface Room {
  /** How many tiles. */
  readonly count: number;
  /** Of the place for all of them, px. */
  readonly width: number;
  readonly height: number;
  /** Between two tiles, px. */
  readonly gap: number;
  /** Width of a picture by its height. */
  readonly aspect: number;
  /** Below this width a tile is too small to see anything: then the wall scrolls instead, px. */
  readonly leastWidth: number;
}

export interface GridShape {
  readonly columns: number;
  /** px */
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Whether it is higher than its room. */
  readonly scrolls: boolean;
}

/** Width of a tile when so many columns have to fit, rows included. */
function widthWith(columns: number, { count, width, height, gap, aspect }: Room): number {
  const rows = Math.ceil(count / columns);
  const byWidth = (width - gap * (columns - 1)) / columns;
  const byHeight = ((height - gap * (rows - 1)) / rows) * aspect;
  return Math.min(byWidth, byHeight);
}

/** The shape with the largest tiles that are all in view; with too many for that, as many columns as are still of use. */
export function gridShape(room: Room): GridShape {
  const { count, width, gap, aspect, leastWidth } = room;
  let columns = 1;
  let best = 0;
  for (let candidate = 1; candidate <= count; candidate++) {
    const wide = widthWith(candidate, room);
    if (wide > best) [columns, best] = [candidate, wide];
  }
  if (best >= Math.min(leastWidth, width)) return shapeOf(columns, best, aspect, false);
  const fitting = Math.max(1, Math.floor((width + gap) / (leastWidth + gap)));
  columns = Math.max(1, Math.min(fitting, count));
  return shapeOf(columns, (width - gap * (columns - 1)) / columns, aspect, true);
}

/** Whole pixels, rounded down: half ones would blur the edges, and more than there are would break the line. */
function shapeOf(columns: number, width: number, aspect: number, scrolls: boolean): GridShape {
  const tileWidth = Math.max(1, Math.floor(width));
  return { columns, tileWidth, tileHeight: Math.max(1, Math.floor(tileWidth / aspect)), scrolls };
}

const usual = 16 / 9;

/** The shape most pictures have, between 4:3 and 16:9, so that few tiles show black edges. */
export function commonAspect(
  sizes: readonly ({ readonly width: number; readonly height: number } | null)[],
): number {
  const all = sizes
    .filter((size) => size !== null && size.width > 0 && size.height > 0)
    .map((size) => size!.width / size!.height)
    .toSorted((a, b) => a - b);
  const middle = all[Math.floor(all.length / 2)] ?? usual;
  return Math.min(usual, Math.max(4 / 3, middle));
}
