// Numbers of a benchmark: percentiles, slopes, and the table they are printed in.
// Measuring is done in sections/; nothing here runs anything.

/** One figure of the table. */
export interface Figure {
  readonly section: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it must not pass; absent for figures that only inform. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number };
  /** What it is compared with, for the ratio: the same work done another way in the same run. */
  readonly comparedWith?: { readonly name: string; readonly value: number };
  /** A missed target must not count as a failure, with the reason: the machine, not the program, was measured. */
  readonly note?: string;
}

/** @param fraction 0.5 for the median. The nearest value really measured; NaN when there is none. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN;
}

/** Least-squares slope of y over x; 0 for fewer than two points. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const n = points.length;
  if (n < 2) return 0;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  let up = 0;
  let across = 0;
  for (const { x, y } of points) {
    up += (x - meanX) * (y - meanY);
    across += (x - meanX) ** 2;
  }
  return across === 0 ? 0 : up / across;
}

export function meetsTarget({ value, target }: Figure): boolean | null {
  if (!target) return null;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/**
 * How good a figure is, greater is better: against its target 1 is just met, against another way of doing it 1 is
 * equal. Null when there is nothing to compare with.
 */
export function ratio({ value, target, comparedWith }: Figure): number | null {
  if (comparedWith) return comparedWith.value / value;
  if (!target) return null;
  return 'atMost' in target ? target.atMost / value : value / target.atLeast;
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function targetText({ target, comparedWith, unit }: Figure): string {
  if (comparedWith) return `${comparedWith.name}: ${short(comparedWith.value)} ${unit}`;
  if (!target) return '';
  return 'atMost' in target ? `≤ ${short(target.atMost)}` : `≥ ${short(target.atLeast)}`;
}

/** Markdown that is also readable as it stands. */
export function table(figures: readonly Figure[]): string {
  const head = ['section', 'figure', 'value', 'target or comparison', 'ratio', ''];
  const rows = figures.map((figure) => {
    const met = meetsTarget(figure);
    const times = ratio(figure);
    return [
      figure.section,
      figure.name,
      `${short(figure.value)} ${figure.unit}`.trim(),
      targetText(figure),
      times === null ? '' : `${short(times)}×`,
      met === null
        ? (figure.note ?? '')
        : `${met ? 'ok' : 'MISSED'}${figure.note ? ` (${figure.note})` : ''}`,
    ];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const numeric = new Set([2, 4]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (numeric.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (numeric.has(i) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
