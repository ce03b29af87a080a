// Asks before something that cannot be undone, and names what follows from it.
// Doing it belongs to the page; this shows that it is under way, and why it failed.

import { useState } from 'react';
import { sentenceOf } from '../api/errors.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { FormError } from './field.tsx';

export interface ConfirmDialogProps {
  /** A question that names the thing: "Delete the camera Door?" */
  readonly title: string;
  /** What will be so afterwards, a sentence each. */
  readonly consequences: readonly string[];
  /** The verb of the title: "Delete camera". */
  readonly confirmLabel: string;
  readonly tone?: 'danger' | 'primary';
  /** The dialog closes when it is done; when it fails it stays and says why. */
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, consequences, confirmLabel, tone = 'danger', onConfirm, onClose } = props;
  const [state, setState] = useState<{ busy: boolean; error: string | null }>({ busy: false, error: null });

  async function confirm() {
    setState({ busy: true, error: null });
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setState({ busy: false, error: sentenceOf(error) });
    }
  }

  return (
    <Dialog
      title={title}
      width="sm"
      dismissible={!state.busy}
      onSubmit={confirm}
      onClose={onClose}
      footer={
        <>
          <Button data-start onClick={onClose} disabled={state.busy}>
            {text.ui.cancel}
          </Button>
          <Button type="submit" tone={tone} busy={state.busy}>
            {confirmLabel}
          </Button>
        </>
      }
    >
      <ul className="flex list-disc flex-col gap-1.5 pl-4.5 text-ink-soft marker:text-ink-faint">
        {consequences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <FormError>{state.error}</FormError>
    </Dialog>
  );
}
