// What the viewer of this browser has chosen: theme, side bar, notifications. Kept in local storage, shared between tabs.
// Nothing that the service would have to know.

import { useSyncExternalStore } from 'react';

const allowed = {
  theme: ['system', 'light', 'dark'],
  sidebar: ['wide', 'narrow'],
  notifications: ['off', 'on'],
  /** Around faces, in live pictures. */
  boxes: ['on', 'off'],
} as const;

export type Preferences = { [Name in keyof typeof allowed]: (typeof allowed)[Name][number] };
export type Theme = Preferences['theme'];

const storageKey = (name: keyof Preferences) => `rsv.${name}`;
const listeners = new Set<() => void>();

/** Where storage is refused, choices hold until the page is closed. */
const unstored = new Map<string, string>();

function read<Name extends keyof Preferences>(name: Name): Preferences[Name] {
  const known: readonly string[] = allowed[name];
  let value: string | null | undefined = unstored.get(name);
  try {
    value ??= localStorage.getItem(storageKey(name));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
  return (value && known.includes(value) ? value : known[0]) as Preferences[Name];
}

function write<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): void {
  try {
    localStorage.setItem(storageKey(name), value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    unstored.set(name, value);
  }
  changed();
}

function changed(): void {
  const theme = read('theme');
  // static/theme.js does the same before the first paint.
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener('storage', changed);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener('storage', changed);
  };
}

export function usePreference<Name extends keyof Preferences>(
  name: Name,
): [Preferences[Name], (value: Preferences[Name]) => void] {
  const value = useSyncExternalStore(subscribe, () => read(name));
  return [value, (next) => write(name, next)];
}
