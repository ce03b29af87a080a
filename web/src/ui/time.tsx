// A moment, said as people would, kept fresh, with the full time as a tooltip.
// How it is written is in format.ts.

import { useSyncExternalStore } from 'react';
import { formatDateTime, formatFull, formatRelative, formatTime } from '../format.ts';

const tickMs = 15_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** One timer for all times on the page. */
function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const one of listeners) one();
    }, tickMs);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** ms since 1970, renewed every 15 s. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

export interface TimeProps {
  /** ISO 8601. */
  readonly value: string;
  readonly as?: 'relative' | 'time' | 'datetime';
  readonly className?: string;
}

export function Time({ value, as = 'relative', className }: TimeProps) {
  const current = useNow();
  const words =
    as === 'relative'
      ? formatRelative(value, current)
      : as === 'time'
        ? formatTime(value)
        : formatDateTime(value);
  return (
    <time dateTime={value} title={formatFull(value)} className={className}>
      {words}
    </time>
  );
}
