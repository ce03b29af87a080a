// The order in which somebody wants to see the cameras, kept in this browser for each user.
// Moving them about is in wall-grid.tsx.

import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { useSession } from '../../session.ts';

const listeners = new Set<() => void>();
/** Where storage is refused, an order holds until the page is closed. */
const unstored = new Map<string, string>();

function read(key: string): string {
  try {
    return unstored.get(key) ?? localStorage.getItem(key) ?? '';
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return '';
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    unstored.set(key, value);
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}

/** Those of `order` first, in that order; what is not in it follows as it came. */
export function inOrder<T extends { readonly id: string }>(all: readonly T[], order: readonly string[]): T[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const placeOf = ({ id }: T) => place.get(id) ?? order.length;
  return all.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** @returns the ids as they were put, and puts them anew. */
export function useWallOrder(): readonly [readonly string[], (ids: readonly string[]) => void] {
  const { me } = useSession();
  const key = `rsv.wall-order.${me.user?.id ?? me.name}`;
  const stored = useSyncExternalStore(
    subscribe,
    useCallback(() => read(key), [key]),
  );
  // Ids hold no spaces.
  const order = useMemo(() => stored.split(' ').filter(Boolean), [stored]);
  return [order, useCallback((ids: readonly string[]) => write(key, ids.join(' ')), [key])];
}
