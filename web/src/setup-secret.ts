// The secret of the set-up link, `#setup=…`: kept in memory only, gone from the address bar and the history at once.

import { useSyncExternalStore } from 'react';

let secret: string | null = null;
const listeners = new Set<() => void>();

function set(next: string | null): void {
  secret = next;
  for (const listener of listeners) listener();
}

/** To be called before anything else looks at the address. */
export function takeSetupSecret(): void {
  const match = /^#setup=([\w~.%-]+)$/.exec(location.hash);
  if (!match?.[1]) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  // As it stands: what the service prints needs no decoding, and a link cut short may not be decodable.
  set(match[1]);
}

/** It has done its work, or is not valid any more. */
export function forgetSetupSecret(): void {
  set(null);
}

/** A link that is opened where the page is already changes nothing but the hash. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('hashchange', takeSetupSecret);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener('hashchange', takeSetupSecret);
  };
}

export function useSetupSecret(): string | null {
  return useSyncExternalStore(subscribe, () => secret);
}
