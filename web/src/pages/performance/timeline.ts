// Columns of several cameras laid side by side over one time: what a chart takes.
// Pure; samples of all cameras lie on the same grid of time.

import type { Column } from './figures.ts';

export interface History {
  readonly start: string | null;
  readonly end: string | null;
  readonly interval_s: number;
}

export interface Timeline {
  /** Seconds since 1970, one for each sample. */
  readonly times: readonly number[];
  /** Lays a column of that history onto `times`; null where it has nothing. */
  readonly place: (history: History | undefined, column: Column) => Column;
}

/** No shorter, so that the first minutes do not look like an hour. */
const shortestS = 600;

export function timelineOf(histories: readonly (History | undefined)[]): Timeline {
  const known = histories.filter((history) => history?.start && history.end) as readonly {
    start: string;
    end: string;
    interval_s: number;
  }[];
  const step = known[0]?.interval_s ?? 5;
  const seconds = (moment: string) => Math.round(Date.parse(moment) / 1000);
  const end = Math.max(...known.map((history) => seconds(history.end)));
  const start = Math.min(end - shortestS, ...known.map((history) => seconds(history.start)));
  const count = known.length === 0 ? 0 : Math.round((end - start) / step) + 1;
  const times = Array.from({ length: count }, (_, index) => start + index * step);
  return {
    times,
    place(history, column) {
      const placed = new Array<number | null>(count).fill(null);
      if (!history?.start) return placed;
      const offset = Math.round((seconds(history.start) - start) / step);
      for (const [index, value] of column.entries())
        if (offset + index >= 0 && offset + index < count) placed[offset + index] = value;
      return placed;
    },
  };
}
