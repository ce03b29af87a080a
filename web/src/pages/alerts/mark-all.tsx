// Marks all alerts as viewed, of one camera when the inbox shows one; asks before, because everybody sees it.

import { CheckCheck } from 'lucide-react';
import { useState } from 'react';
import { useMarkAllViewed } from '../../api/mutations.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { toast } from '../../ui/toast.tsx';

export interface MarkAllProps {
  /** Null for all cameras. */
  readonly camera: { readonly id: string; readonly name: string } | null;
  readonly unviewed: number;
  /** A time is chosen, to which marking does not keep. */
  readonly hasTime: boolean;
  readonly onDone: () => void;
}

export function MarkAll({ camera, unviewed, hasTime, onDone }: MarkAllProps) {
  const { may } = useSession();
  const { mutateAsync } = useMarkAllViewed();
  const [asked, setAsked] = useState(false);
  const { markAllEffects: effects } = text.alerts;
  const forbidden = !may('operator');
  return (
    <>
      <Button
        size="sm"
        icon={CheckCheck}
        disabled={forbidden || unviewed === 0}
        title={forbidden ? text.alerts.needsOperator : unviewed === 0 ? text.alerts.noneUnviewed : undefined}
        onClick={() => setAsked(true)}
      >
        <span className="max-md:sr-only">
          {camera ? text.alerts.markAllOf(camera.name) : text.alerts.markAll}
        </span>
        <span aria-hidden className="md:hidden">
          {text.alerts.markAllShort}
        </span>
      </Button>
      {asked && (
        <ConfirmDialog
          title={text.alerts.markAllTitle(unviewed, camera?.name ?? null)}
          consequences={[...(hasTime ? [effects.anyTime(unviewed)] : []), effects.everybody, effects.stay]}
          confirmLabel={text.alerts.markAll}
          tone="primary"
          onConfirm={async () => {
            const { updated } = await mutateAsync({ streamId: camera?.id });
            onDone();
            toast.done(text.alerts.markAllDone(updated));
          }}
          onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}
