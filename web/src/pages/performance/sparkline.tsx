// The last hour of one figure as a small line, from zero to its highest.
// Decoration beside the figure itself.

import { memo } from 'react';
import type { Column } from './figures.ts';

const points = 60;

/** The averages of equal parts, null where nothing was measured; the newest at the end. */
function thinned(column: Column): (number | null)[] {
  const step = Math.max(1, Math.ceil(column.length / points));
  const parts: (number | null)[] = [];
  for (let end = column.length; end > 0; end -= step) {
    const part = column.slice(Math.max(0, end - step), end).filter((value) => value !== null);
    parts.unshift(part.length === 0 ? null : part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return parts;
}

export const Sparkline = memo(function Sparkline({ column }: { readonly column: Column }) {
  const values = thinned(column);
  const highest = Math.max(1, ...values.map((value) => value ?? 0));
  let pen = 'M';
  let path = '';
  for (const [index, value] of values.entries()) {
    if (value === null) {
      pen = 'M';
      continue;
    }
    const x = points - values.length + index;
    path += `${pen}${x} ${(19 - (value / highest) * 18).toFixed(2)}`;
    pen = 'L';
  }
  return (
    <svg
      viewBox={`0 0 ${points - 1} 20`}
      preserveAspectRatio="none"
      aria-hidden
      className="h-5 w-28 text-accent max-md:w-full"
    >
      <path d="M0 19.5H59" stroke="var(--line)" vectorEffect="non-scaling-stroke" />
      <path
        d={path}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
});
