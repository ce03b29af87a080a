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

/** How far on the right side of its target a figure is: 1 is just met, more is better. Null without a target. */
export function targetRatio({ value, target }: Figure): number | null {
  if (!target) return null;
  return 'atMost' in target ? target.atMost / value : value / target.atLeast;
}

/** How many times the compared figure this one is better: 1 is equal. Smaller values are better. */
export function comparisonRatio({ value, comparedWith }: Figure): number | null {
  return comparedWith ? comparedWith.value / value : null;
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function targetText({ target }: Figure): string {
  if (!target) return '';
  return 'atMost' in target ? `≤ ${short(target.atMost)}` : `≥ ${short(target.atLeast)}`;
}

function times(value: number | null): string {
  return value === null ? '' : `${short(value)}×`;
}

function verdict(figure: Figure): string {
  const met = meetsTarget(figure);
  return met === null ? '' : met ? 'ok' : 'MISSED';
}

/** Markdown that is also readable as it stands. */
export function table(figures: readonly Figure[]): string {
  const head = ['section', 'figure', 'value', 'target', 'ratio', '', 'compared with', 'ratio'];
  const rows = figures.map((figure) => [
    figure.section,
    figure.name,
    `${short(figure.value)} ${figure.unit}`.trim(),
    targetText(figure),
    times(targetRatio(figure)),
    verdict(figure),
    figure.comparedWith ? `${figure.comparedWith.name}: ${short(figure.comparedWith.value)}` : '',
    times(comparisonRatio(figure)),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const rightAligned = new Set([2, 3, 4, 7]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (rightAligned.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    rightAligned.has(i) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2),
  );
  return [line(head), `|${rule.join('|')}|`, ...rows.map(line)].join('\n');
}
