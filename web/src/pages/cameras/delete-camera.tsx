// Asks before a camera is deleted, and names what goes with it.

import { useDeleteStream } from '../../api/mutations.ts';
import type { Stream } from '../../api/types.ts';
import { text } from '../../text.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { toast } from '../../ui/toast.tsx';

export interface DeleteCameraProps {
  readonly stream: Stream;
  readonly onDeleted?: () => void;
  readonly onClose: () => void;
}

export function DeleteCamera({ stream: { id, name, status }, onDeleted, onClose }: DeleteCameraProps) {
  const remove = useDeleteStream();
  const { removeEffects, removeInstead } = text.camera;
  return (
    <ConfirmDialog
      title={text.camera.removeTitle(name)}
      consequences={status === 'offline' ? removeEffects : [...removeEffects, removeInstead]}
      confirmLabel={text.camera.removeConfirm}
      onConfirm={async () => {
        await remove.mutateAsync(id);
        toast.done(text.camera.removed(name));
        onDeleted?.();
      }}
      onClose={onClose}
    />
  );
}
