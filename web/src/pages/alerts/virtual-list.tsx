// A long list of rows of known height, of which only those in view are in the document.
// What comes in above never moves what is being read.

import { ArrowUp } from 'lucide-react';
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Button } from '../../ui/button.tsx';

export interface VirtualListProps<Item extends { readonly key: string }> {
  readonly label: string;
  readonly items: readonly Item[];
  /** In rem. */
  readonly heightOf: (item: Item) => number;
  readonly render: (item: Item) => ReactNode;
  /** Always in the document and brought into view when it changes: where the keyboard is. */
  readonly current: string | null;
  /** Whether an item may hold the place of the list: headings may not, rows come in below them. */
  readonly holds: (item: Item) => boolean;
  /** What comes in at the top stays above, even if the list is not scrolled. */
  readonly hold: boolean;
  readonly newAbove: (count: number) => string;
  /** The end is near. */
  readonly onNearEnd: () => void;
  /** Below the last row. */
  readonly footer: ReactNode;
}

const overscanPx = 400;
const nearEndPx = 1_200;

interface View {
  readonly top: number;
  readonly height: number;
  /** px of one rem */
  readonly rem: number;
}

function useView(box: RefObject<HTMLDivElement | null>): [View, () => void] {
  const [view, setView] = useState<View>({ top: 0, height: 800, rem: 16 });
  const measure = useCallback(() => {
    const element = box.current;
    if (!element) return;
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const next = { top: element.scrollTop, height: element.clientHeight, rem };
    setView((before) =>
      before.top === next.top && before.height === next.height && before.rem === rem ? before : next,
    );
  }, [box]);
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [box, measure]);
  return [view, measure];
}

export function VirtualList<Item extends { readonly key: string }>(props: VirtualListProps<Item>) {
  const { label, items, heightOf, render, current, holds, hold, newAbove, onNearEnd, footer } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, measure] = useView(box);
  const { top, height, rem } = view;
  const [above, setAbove] = useState(0);

  const rows = useMemo(() => {
    let end = 0;
    return items.map((item, index) => {
      const start = end;
      end += heightOf(item) * rem;
      return { item, index, start, end };
    });
  }, [items, heightOf, rem]);
  const total = rows.at(-1)?.end ?? 0;

  // What is read, or else the row at the upper edge, keeps its place on the screen, whatever comes or goes before it.
  const edge = useRef<{ key: string; offset: number; known: ReadonlySet<string> } | null>(null);
  useLayoutEffect(() => {
    const element = box.current;
    const { key, offset, known } = edge.current ?? {};
    const row = key === undefined ? undefined : rows.find(({ item }) => item.key === key);
    if (element && row && known && (hold || element.scrollTop > 0)) {
      const wanted = row.start - (offset ?? 0);
      if (Math.abs(wanted - element.scrollTop) > 0.5) {
        element.scrollTop = wanted;
        const came = rows.filter(({ item, index }) => index < row.index && !known.has(item.key)).length;
        if (wanted > 0 && came > 0) setAbove((before) => before + came);
        measure();
      }
    }
  }, [rows, hold, measure]);
  useLayoutEffect(() => {
    const inView = rows.filter(({ item, start, end }) => holds(item) && end > top && start < top + height);
    const first = inView.find(({ item }) => item.key === current) ?? inView[0];
    edge.current = first
      ? { key: first.item.key, offset: first.start - top, known: new Set(items.map(({ key }) => key)) }
      : null;
  }, [rows, items, top, height, current, holds]);

  useEffect(() => {
    if (top <= 0) setAbove(0);
  }, [top]);

  const isEmpty = rows.length === 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when another one is chosen; new rows do not bring the list back to it.
  useLayoutEffect(() => {
    const element = box.current;
    const row = rows.find(({ item }) => item.key === current);
    if (!element || !row) return;
    // The heading above the first rows comes along.
    if (row.start - 3 * rem < element.scrollTop) element.scrollTop = row.index <= 1 ? 0 : row.start - 3 * rem;
    else if (row.end + rem > element.scrollTop + element.clientHeight)
      element.scrollTop = row.end + rem - element.clientHeight;
    measure();
  }, [current, isEmpty]);

  const nearEnd = total - (top + height) < nearEndPx;
  // biome-ignore lint/correctness/useExhaustiveDependencies: when a page has come and the end is still near, the next one is due.
  useEffect(() => {
    if (nearEnd) onNearEnd();
  }, [nearEnd, items, onNearEnd]);

  const visible = rows.filter(
    ({ item, start, end }) =>
      (end > top - overscanPx && start < top + height + overscanPx) || item.key === current,
  );
  return (
    <div className="relative min-h-0 flex-1">
      {above > 0 && (
        <Button
          size="sm"
          tone="primary"
          icon={ArrowUp}
          className="-translate-x-1/2 absolute top-2 left-1/2 z-10 animate-appear shadow-raised"
          onClick={() => box.current?.scrollTo({ top: 0, behavior: 'smooth' })}
        >
          {newAbove(above)}
        </Button>
      )}
      <section
        ref={box}
        // Scrolled by the keyboard where no row has the focus.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        aria-label={label}
        onScroll={measure}
        className="h-full overflow-y-auto overscroll-contain [overflow-anchor:none] focus-visible:-outline-offset-2"
      >
        <ol aria-label={label} className="relative" style={{ height: total }}>
          {visible.map(({ item, index, start, end }) => (
            <li
              key={item.key}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0"
              style={{ top: start, height: end - start }}
            >
              {render(item)}
            </li>
          ))}
        </ol>
        {footer}
      </section>
    </div>
  );
}
