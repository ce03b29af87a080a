// One detection, large: the frame with the face boxed, what is known of it, the ways to its alert and camera.
// Which one, and those before and after it, come from the gallery.

import { BellRing, ChevronLeft, ChevronRight, ScanFace, Trash2, Video } from 'lucide-react';
import { useEffect, useState } from 'react';
import { ApiError } from '../../api/errors.ts';
import { useDeleteDetection } from '../../api/mutations.ts';
import { useDetection } from '../../api/queries.ts';
import type { Detection } from '../../api/types.ts';
import { DetectionBody } from '../../faces/detection-body.tsx';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { IconButton, LinkButton } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Loaded } from '../../ui/list-state.tsx';
import { EmptyState, Skeleton } from '../../ui/surface.tsx';
import { toast } from '../../ui/toast.tsx';

export interface DetectionViewProps {
  readonly id: string;
  /** Those of the gallery, as far as they have been fetched. */
  readonly detections: readonly Detection[];
  readonly hasMore: boolean;
  readonly onNearEnd: () => void;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}

const nearEnd = 10;

interface ActionsProps {
  readonly detection: Detection;
  readonly onRemove: () => void;
  /** Undefined where there is none. */
  readonly newer: Detection | undefined;
  readonly older: Detection | undefined;
  readonly onOpen: (id: string) => void;
}

function Actions({ detection, onRemove, newer, older, onOpen }: ActionsProps) {
  const { may } = useSession();
  const forbidden = may('operator') ? undefined : text.detections.needsOperator;
  const { alert_id: alertId, stream_id: streamId } = detection;
  return (
    <>
      <div className="mr-auto flex gap-2">
        {(
          [
            [ChevronLeft, text.detections.previous, newer],
            [ChevronRight, text.detections.next, older],
          ] as const
        ).map(([icon, label, to]) => (
          <IconButton
            key={label}
            icon={icon}
            tone="plain"
            size="sm"
            label={label}
            aria-disabled={!to}
            className="aria-disabled:opacity-40"
            onClick={() => to && onOpen(to.id)}
          />
        ))}
        <IconButton
          icon={Trash2}
          size="sm"
          label={text.detections.remove}
          title={forbidden ?? text.detections.remove}
          disabled={forbidden !== undefined}
          onClick={onRemove}
        />
      </div>
      {alertId !== null && (
        <LinkButton size="sm" icon={BellRing} to={`/alerts?alert=${encodeURIComponent(alertId)}`}>
          {text.detections.openAlert}
        </LinkButton>
      )}
      <LinkButton size="sm" icon={Video} to={`/?camera=${encodeURIComponent(streamId)}`}>
        <span className="max-md:sr-only">{text.detections.goToCamera}</span>
      </LinkButton>
    </>
  );
}

export function DetectionView({ id, detections, hasMore, onNearEnd, onOpen, onClose }: DetectionViewProps) {
  const at = detections.findIndex((detection) => detection.id === id);
  const listed = detections[at];
  const query = useDetection(id);
  const detection = query.data?.id === id ? query.data : listed;
  const [newer, older] = at < 0 ? [] : [detections[at - 1], detections[at + 1]];
  const [removing, setRemoving] = useState(false);
  const { mutateAsync } = useDeleteDetection();

  const isNearEnd = at >= 0 && at >= detections.length - nearEnd;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page is asked for when the place changes.
  useEffect(() => {
    if (isNearEnd) onNearEnd();
  }, [isNearEnd, detections.length]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (removing || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      const next =
        key === 'arrowleft' || key === 'k' ? newer : key === 'arrowright' || key === 'j' ? older : undefined;
      if (!next) return;
      event.preventDefault();
      onOpen(next.id);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [newer, older, onOpen, removing]);

  async function remove() {
    const next = older ?? newer;
    await mutateAsync(id);
    toast.done(text.detections.removed);
    if (next) onOpen(next.id);
    else onClose();
  }

  const gone = query.error instanceof ApiError && query.error.status === 404 && !detection;
  const place =
    at < 0
      ? undefined
      : text.detections.place(
          at + 1,
          text.detections.count(detections.length, hasMore).replace(/ faces?$/, ''),
        );
  return (
    <>
      <Dialog
        title={detection?.stream ?? text.detections.title}
        description={place}
        width="lg"
        onClose={onClose}
        footer={
          detection && (
            <Actions
              detection={detection}
              onRemove={() => setRemoving(true)}
              newer={newer}
              older={older}
              onOpen={onOpen}
            />
          )
        }
      >
        {gone ? (
          <EmptyState icon={ScanFace} title={text.detections.goneTitle}>
            <p>{text.detections.gone}</p>
          </EmptyState>
        ) : (
          <Loaded
            query={{ ...query, data: detection }}
            skeleton={<Skeleton className="mx-auto aspect-4/3 w-full max-w-[calc(66dvh*4/3)]" />}
          >
            {(known) => <DetectionBody detection={known} />}
          </Loaded>
        )}
      </Dialog>
      {removing && detection && (
        <ConfirmDialog
          title={text.detections.removeTitle(detection.stream)}
          consequences={text.detections.removeEffects}
          confirmLabel={text.detections.removeConfirm}
          onConfirm={remove}
          onClose={() => setRemoving(false)}
        />
      )}
    </>
  );
}
