// Modal dialogs on the browser's own <dialog>: it keeps the focus inside, gives it back, and closes on Escape.
// What a dialog says and does belongs to the page; the one that asks "are you sure" is in confirm-dialog.tsx.

import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { text } from '../text.ts';
import { IconButton } from './button.tsx';
import { cx } from './cx.ts';

export interface DialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  /** Buttons at the lower end; they stay in view while the rest scrolls. */
  readonly footer?: ReactNode;
  readonly width?: 'sm' | 'md' | 'lg' | 'full';
  /** False while closing would lose something: then neither Escape nor a click beside it closes it. */
  readonly dismissible?: boolean;
  /** Wraps body and footer into a form. */
  readonly onSubmit?: () => void;
  /** The dialog has been closed by its reader, or wants to be. It is closed by no longer rendering it. */
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

const widths = { sm: 'md:max-w-md', md: 'md:max-w-xl', lg: 'md:max-w-4xl', full: 'md:max-w-[96vw]' } as const;

/** Open as long as it is rendered: `{open && <Dialog …/>}`. */
export function Dialog(props: DialogProps) {
  const { title, description, footer, width = 'md', dismissible = true, onSubmit, onClose, children } = props;
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    startOf(dialog)?.focus();
    return () => {
      dialog?.close();
      // The browser gives the focus back only while the dialog is still in the document.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const body = (
    <>
      <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 py-4">{children}</div>
      {footer && (
        <div className="flex flex-wrap items-center justify-end gap-2 border-line border-t px-5 py-3">
          {footer}
        </div>
      )}
    </>
  );

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the keyboard's way; the browser sends it as "cancel".
    <dialog
      ref={ref}
      aria-labelledby={`${id}-title`}
      aria-describedby={description ? `${id}-description` : undefined}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        if (dismissible) onClose();
      }}
      onClick={(event) => {
        if (dismissible && event.target === event.currentTarget && beside(event)) onClose();
      }}
      className={cx(
        'max-h-[92dvh] w-full max-w-full flex-col overflow-hidden rounded-t-xl border border-line bg-raised shadow-raised open:flex',
        'animate-appear max-md:mt-auto max-md:mb-0 md:rounded-xl',
        widths[width],
      )}
    >
      <header className="flex items-start gap-3 px-5 pt-4">
        <div className="flex min-w-0 flex-1 flex-col gap-1">
          <h2 id={`${id}-title`} className="font-semibold text-lg">
            {title}
          </h2>
          {description && (
            <p id={`${id}-description`} className="text-ink-soft">
              {description}
            </p>
          )}
        </div>
        {dismissible && (
          <IconButton icon={X} label={text.ui.close} size="sm" className="-mr-1.5" onClick={onClose} />
        )}
      </header>
      {onSubmit ? (
        <form
          noValidate
          className="flex min-h-0 flex-col"
          onSubmit={(event) => {
            event.preventDefault();
            // A dialog within a page's form would send that one as well.
            event.stopPropagation();
            onSubmit();
          }}
        >
          {body}
        </form>
      ) : (
        body
      )}
    </dialog>
  );
}

/** Where the browser would take its first button, which closes it: what says so itself, else the first field. */
function startOf(dialog: HTMLDialogElement | null): HTMLElement | null {
  const first = (selector: string) => dialog?.querySelector<HTMLElement>(selector) ?? null;
  return (
    first('[data-start]') ??
    first(':is(input:not([type=radio], [type=checkbox], [type=hidden]), textarea):enabled') ??
    first(':is(input:checked, select, input[type=checkbox]):enabled')
  );
}

/** Text that is dragged out of the dialog ends in a click on it, at a place inside. */
function beside({ clientX, clientY, currentTarget }: React.MouseEvent<HTMLDialogElement>): boolean {
  const { left, right, top, bottom } = currentTarget.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
