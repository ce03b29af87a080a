// One chart of the last hour: a line for each camera, figures at the cursor, the cursor shared by all charts of the page.
// Loaded when it is first drawn; what is drawn comes from the page.

import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { locale } from '../../format.ts';
import './chart.css';
import { type Column, formatFigure, latest, withUnit } from './figures.ts';

export interface Line {
  readonly name: string;
  /** Which of the colours, 0–5. */
  readonly slot: number;
  readonly dashed?: boolean;
  readonly column: Column;
}

export interface ChartProps {
  /** What the chart says, for those who do not see it. */
  readonly summary: string;
  readonly unit: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const exactClock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
/** In rem. */
const height = 10.5;

/** Colours of the theme as a canvas understands them: it knows neither variables nor light-dark(). */
function colourOf(element: Element, variable: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const remOf = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

function optionsOf(
  box: HTMLElement,
  lines: readonly Pick<Line, 'slot' | 'dashed'>[],
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const rem = remOf();
  const colours = new Map<string, string>();
  const colour = (variable: string) => {
    if (!colours.has(variable)) colours.set(variable, colourOf(box, variable));
    return colours.get(variable) as string;
  };
  const axis: uPlot.Axis = {
    stroke: () => colour('--ink-faint'),
    font: `${0.6875 * rem}px ${getComputedStyle(box).fontFamily}`,
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(120, box.clientWidth),
    height: height * rem,
    padding: [0.5 * rem, 0.25 * rem, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      sync: { key: 'performance', setSeries: false },
      points: { size: 0.5 * rem },
    },
    scales: {
      x: { time: true },
      // From zero: half as high is half as much.
      y: { range: (_chart, _low, high) => [0, Math.max(1, (high ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        space: 4.5 * rem,
        size: 1.5 * rem,
        values: (_chart, splits) => splits.map((second) => clock.format(second * 1000)),
      },
      {
        ...axis,
        space: 2 * rem,
        size: 2.75 * rem,
        values: (_chart, splits) => splits.map(formatFigure),
      },
    ],
    series: [
      {},
      ...lines.map(
        ({ slot, dashed }): uPlot.Series => ({
          stroke: () => colour(`--line-${slot}`),
          width: 1.5,
          ...(dashed && { dash: [4, 3] }),
          points: { show: false },
        }),
      ),
    ],
    hooks: { setCursor: [(chart) => onCursor(chart.cursor.idx ?? null)] },
  };
}

/** Counts up when the colours of the page change. */
function useThemeChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const onChange = () => setChanges((count) => count + 1);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', onChange);
    const observer = new MutationObserver(onChange);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      dark.removeEventListener('change', onChange);
      observer.disconnect();
    };
  }, []);
  return changes;
}

export default function Chart({ summary, unit, times, lines }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const theme = useThemeChanges();
  const shape = JSON.stringify(lines.map(({ slot, dashed = false }) => ({ slot, dashed })));

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` has no value that is used, only that it changed.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(optionsOf(element, JSON.parse(shape), setIndex), [[]], element);
    chart.current = made;
    const observer = new ResizeObserver(() => {
      const width = Math.max(120, element.clientWidth);
      if (width !== made.width) made.setSize({ width, height: height * remOf() });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [shape, theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was made anew needs its data, too.
  useEffect(() => {
    chart.current?.setData([[...times], ...lines.map(({ column }) => [...column])] as uPlot.AlignedData);
  }, [times, lines, shape, theme]);

  const at = index === null ? undefined : times[index];
  return (
    <>
      <p className="tabular flex min-h-10 flex-wrap content-end items-baseline gap-x-3.5 text-sm" aria-hidden>
        {lines.map(({ name, slot, column }) => (
          <span key={name} className="inline-flex min-w-0 items-baseline gap-1.5">
            <LineMark slot={slot} />
            <span className="max-w-40 truncate text-ink-soft">{name}</span>
            <span className="font-medium">
              {withUnit(at === undefined ? latest(column) : (column[index ?? -1] ?? null), unit)}
            </span>
          </span>
        ))}
        <span className="ml-auto text-ink-faint text-xs">
          {at !== undefined && exactClock.format(at * 1000)}
        </span>
      </p>
      <div ref={box} role="img" aria-label={summary} className="w-full overflow-hidden" />
    </>
  );
}

/** The colour of a line, beside its name. */
export function LineMark({ slot }: { readonly slot: number }) {
  return (
    <span
      aria-hidden
      className="inline-block h-0.75 w-3 shrink-0 self-center rounded-full"
      style={{ background: `var(--line-${slot})` }}
    />
  );
}
