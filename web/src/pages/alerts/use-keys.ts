// Keys that do something on the whole page, unless somebody is typing, choosing or in a dialog.
// Which keys do what belongs to the page.

import { useEffect, useRef } from 'react';

export type Keys = Readonly<Record<string, ((event: KeyboardEvent) => void) | undefined>>;

const typing = 'input, select, textarea, [contenteditable], [role="menu"], [role="menuitem"]';

/** @param keys by `event.key`, letters in lower case. Space and Enter stay with buttons, links keep Enter. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const act = latest.current[key];
      if (!act || document.querySelector('dialog[open]')) return;
      const target = event.target instanceof Element ? event.target : document.body;
      if (target.closest(typing)) return;
      if ((key === ' ' || key === 'Enter') && target.closest('button')) return;
      if (key === 'Enter' && target.closest('a[href]:not([aria-current="true"])')) return;
      event.preventDefault();
      act(event);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}
