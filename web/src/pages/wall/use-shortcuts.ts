// Single keys that do something on the whole page: not while somebody types, nor while a dialog or a menu is open.

import { useEffect, useRef } from 'react';

export type Shortcuts = Readonly<Record<string, () => void>>;

const typing = 'input, textarea, select, [contenteditable], [role="menu"], [role="slider"], [role="tablist"]';

/** @param keys as in `KeyboardEvent.key`, letters in lower case. */
export function useShortcuts(keys: Shortcuts): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing)
        return;
      if (event.target instanceof Element && event.target.closest(typing)) return;
      if (document.querySelector('dialog:modal, [popover]:popover-open')) return;
      const act = current.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
