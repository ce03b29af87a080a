// A button that opens a list of actions, in the browser's top layer so that nothing cuts it off.
// Keys as in the ARIA menu button pattern; what the items do belongs to the page.

import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import { Link } from 'wouter';
import { cx } from './cx.ts';
import { type Icon, iconLook } from './icon.ts';

/** To be spread into the button that opens the menu. */
export interface MenuTrigger {
  readonly id: string;
  readonly popoverTarget: string;
  readonly 'aria-haspopup': 'menu';
  readonly 'aria-expanded': boolean;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

export interface MenuProps {
  readonly trigger: (props: MenuTrigger) => ReactNode;
  readonly children: ReactNode;
}

const gap = 6;

/** Below the button, or above where there is more room; never beyond the edge of the window. */
function place(menu: HTMLElement, anchor: HTMLElement): void {
  const button = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = button.bottom + gap + height <= innerHeight || button.top < innerHeight - button.bottom;
  const left = button.left + width <= innerWidth - gap ? button.left : button.right - width;
  menu.style.left = `${Math.max(gap, Math.min(left, innerWidth - width - gap))}px`;
  menu.style.top = `${Math.max(gap, below ? button.bottom + gap : button.top - gap - height)}px`;
}

function itemsOf(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>('[role^="menuitem"]:not([aria-disabled="true"])') ?? [])];
}

export function Menu({ trigger, children }: MenuProps) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const buttonId = `${id}-button`;

  function onToggle(opened: boolean) {
    setOpen(opened);
    const button = document.getElementById(buttonId);
    if (!opened || !menu.current || !button) return;
    place(menu.current, button);
    itemsOf(menu.current)[0]?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    const items = itemsOf(menu.current);
    const at = items.indexOf(document.activeElement as HTMLElement);
    const letter = event.key.length === 1 && event.key !== ' ' ? event.key.toLowerCase() : null;
    const next =
      event.key === 'ArrowDown'
        ? (at + 1) % items.length
        : event.key === 'ArrowUp'
          ? (at - 1 + items.length) % items.length
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? items.length - 1
              : letter
                ? items.findIndex((item) => item.textContent?.trim().toLowerCase().startsWith(letter))
                : -1;
    if (event.key === 'Tab') menu.current?.hidePopover();
    if (next < 0) return;
    event.preventDefault();
    items[next]?.focus();
  }

  return (
    <>
      {trigger({
        id: buttonId,
        popoverTarget: id,
        'aria-haspopup': 'menu',
        'aria-expanded': open,
        onKeyDown: (event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          menu.current?.showPopover();
        },
      })}
      <div
        ref={menu}
        id={id}
        popover="auto"
        role="menu"
        tabIndex={-1}
        aria-labelledby={buttonId}
        onToggle={(event) => onToggle(event.newState === 'open')}
        onKeyDown={onKeyDown}
        onClick={(event) => {
          if ((event.target as Element).closest('[role="menuitem"]')) menu.current?.hidePopover();
        }}
        className={cx(
          'fixed inset-auto m-0 max-h-[80dvh] min-w-52 max-w-80 flex-col overflow-y-auto rounded-lg border border-line-strong',
          'animate-appear bg-raised p-1 text-ink shadow-raised open:flex',
        )}
      >
        {children}
      </div>
    </>
  );
}

const itemLook = cx(
  'flex min-h-9 w-full items-center gap-2.5 rounded-md px-2.5 py-1.5 text-left pointer-coarse:min-h-11',
  'outline-none hover:bg-hover focus:bg-hover aria-disabled:opacity-50',
);

export interface MenuItemProps {
  readonly icon?: Icon;
  readonly tone?: 'plain' | 'danger';
  /** Why it cannot be done now; shown below the text. */
  readonly disabledReason?: string | null | undefined;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}

export function MenuItem({ icon: Glyph, tone = 'plain', disabledReason, onSelect, children }: MenuItemProps) {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      aria-disabled={disabledReason ? true : undefined}
      onClick={(event) => {
        if (disabledReason) event.stopPropagation();
        else onSelect();
      }}
      className={cx(itemLook, tone === 'danger' && 'text-bad')}
    >
      {Glyph && <Glyph {...iconLook} />}
      <span className="flex flex-col">
        {children}
        {disabledReason && <span className="text-ink-soft text-xs">{disabledReason}</span>}
      </span>
    </button>
  );
}

export interface MenuLinkProps {
  readonly icon?: Icon;
  readonly to: string;
  readonly children: ReactNode;
}

export function MenuLink({ icon: Glyph, to, children }: MenuLinkProps) {
  return (
    <Link to={to} role="menuitem" tabIndex={-1} className={itemLook}>
      {Glyph && <Glyph {...iconLook} />}
      {children}
    </Link>
  );
}

/** One of several: which one is on is shown and said. The menu stays open. */
export function MenuRadio(props: {
  readonly checked: boolean;
  readonly icon?: Icon;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}) {
  const { checked, icon: Glyph, onSelect, children } = props;
  return (
    <button
      type="button"
      role="menuitemradio"
      tabIndex={-1}
      aria-checked={checked}
      onClick={onSelect}
      className={cx(itemLook, checked && 'bg-accent-soft text-accent-ink')}
    >
      {Glyph && <Glyph {...iconLook} />}
      {children}
    </button>
  );
}

export function MenuSeparator() {
  return <hr className="mx-2.5 my-1 border-line" />;
}

/** Not for choosing: who is signed in, what the next items are about. */
export function MenuHeading({ children }: { readonly children: ReactNode }) {
  return (
    <div role="presentation" className="px-2.5 py-1.5 text-ink-faint text-xs">
      {children}
    </div>
  );
}
