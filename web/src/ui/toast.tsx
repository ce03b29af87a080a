// Short messages at the edge of the page about what has been done or has failed; read out by screen readers.
// Whatever needs an answer is a dialog; what concerns a field stands at the field.

import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { text } from '../text.ts';
import { Button, IconButton } from './button.tsx';
import { cx } from './cx.ts';
import { iconLook } from './icon.ts';

export interface ToastAction {
  readonly label: string;
  readonly onSelect: () => void;
}

interface Shown {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly sentence: string;
  readonly action: ToastAction | undefined;
}

const most = 3;
/** Long enough to be read twice; a failure stays until it is dismissed or pushed out by newer ones. */
const doneMs = 6_000;

let shown: readonly Shown[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function set(next: readonly Shown[]): void {
  shown = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  set(shown.filter((one) => one.id !== id));
}

function show(kind: Shown['kind'], sentence: string, action: ToastAction | undefined): void {
  const id = ++lastId;
  // The same failure again replaces itself.
  const others = shown.filter((one) => one.kind !== kind || one.sentence !== sentence);
  set([...others, { id, kind, sentence, action }].slice(-most));
  if (kind === 'done') setTimeout(() => dismiss(id), doneMs);
}

export const toast = {
  done: (sentence: string, action?: ToastAction) => show('done', sentence, action),
  failed: (sentence: string, action?: ToastAction) => show('failed', sentence, action),
};

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function Toast({ id, kind, sentence, action }: Shown) {
  const Glyph = kind === 'done' ? CircleCheck : CircleAlert;
  return (
    <li
      className={cx(
        'pointer-events-auto flex min-h-11 w-full max-w-md animate-appear items-center gap-2.5 rounded-lg border py-1 pr-1 pl-3.5',
        'border-line-strong bg-raised shadow-raised',
      )}
    >
      <Glyph {...iconLook} className={cx('shrink-0', kind === 'done' ? 'text-good' : 'text-bad')} />
      <span className="min-w-0 flex-1 py-1">{sentence}</span>
      {action && (
        <Button
          size="sm"
          tone="quiet"
          onClick={() => {
            dismiss(id);
            action.onSelect();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton icon={X} label={text.ui.dismiss} size="sm" onClick={() => dismiss(id)} />
    </li>
  );
}

/** Once, in the shell: the live regions must be there before what they announce. */
export function Toasts() {
  const all = useSyncExternalStore(subscribe, () => shown);
  return (
    <div className="pointer-events-none fixed inset-x-4 bottom-[calc(var(--bottom-bar)+1rem)] z-40 flex flex-col items-center gap-2 md:items-end">
      {(['done', 'failed'] as const).map((kind) => (
        <ul
          key={kind}
          aria-live={kind === 'done' ? 'polite' : 'assertive'}
          aria-label={kind === 'done' ? text.ui.messages : text.ui.failures}
          className="flex w-full flex-col items-center gap-2 md:items-end"
        >
          {all
            .filter((one) => one.kind === kind)
            .map((one) => (
              <Toast key={one.id} {...one} />
            ))}
        </ul>
      ))}
    </div>
  );
}
