// The open alert: the picture with the face boxed, what is known of it, its other detections, and what can be done.
// Which alert is open is decided by alerts-page.tsx.

import {
  ArrowLeft,
  BellOff,
  ChevronDown,
  ChevronUp,
  Mail,
  MailOpen,
  Maximize2,
  Trash2,
  Video,
} from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '../../api/errors.ts';
import { useAlert, useDetections } from '../../api/queries.ts';
import { keys, queryClient } from '../../api/query-client.ts';
import type { Alert, Detection } from '../../api/types.ts';
import { FaceFacts } from '../../faces/face-facts.tsx';
import { FacePicture } from '../../faces/face-picture.tsx';
import { FaceThumbnail } from '../../faces/face-thumbnail.tsx';
import { formatDayTime, formatPercent, formatTime } from '../../format.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { Button, IconButton, LinkButton } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/controls.tsx';
import { cx } from '../../ui/cx.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Loaded } from '../../ui/list-state.tsx';
import { Badge, EmptyState, Key, Skeleton } from '../../ui/surface.tsx';

export interface AlertDetailProps {
  readonly id: string;
  readonly enlarged: boolean;
  readonly onEnlarge: (enlarged: boolean) => void;
  readonly onToggle: (alert: Alert) => void;
  readonly onRemove: (alert: Alert) => void;
  readonly onMove: (step: 1 | -1) => void;
  readonly onClose: () => void;
}

/** Others may join it until its cooldown is over; they are not announced. */
const growsForMs = 3 * 60_000;
const lookEveryMs = 4_000;

/** Oldest first: the order in which the people came. */
function useMembers(alert: Alert): readonly Detection[] {
  const filter = { alert_id: alert.id };
  const { data } = useDetections(filter, 100);
  const { timestamp, id } = alert;
  useEffect(() => {
    const timer = setInterval(() => {
      if (Date.now() - Date.parse(timestamp) > growsForMs) return clearInterval(timer);
      if (!document.hidden)
        void queryClient.invalidateQueries({ queryKey: keys.detectionList({ alert_id: id }) });
    }, lookEveryMs);
    return () => clearInterval(timer);
  }, [id, timestamp]);
  // A list of another alert may stand in until its own has come.
  const all = data?.pages.flatMap((page) => page.detections) ?? [];
  return all.filter((detection) => detection.alert_id === id).toReversed();
}

function Bar({ alert, onToggle, onRemove, onMove, onClose }: AlertDetailProps & { readonly alert: Alert }) {
  const { may } = useSession();
  const forbidden = may('operator') ? undefined : text.alerts.needsOperator;
  return (
    <div className="flex items-center gap-2 border-line border-b px-4 py-2 md:px-5">
      <IconButton
        icon={ArrowLeft}
        label={text.alerts.back}
        size="sm"
        className="-ml-2 md:hidden"
        onClick={onClose}
      />
      <Button
        size="sm"
        tone={alert.viewed ? 'plain' : 'primary'}
        icon={alert.viewed ? Mail : MailOpen}
        disabled={forbidden !== undefined}
        title={forbidden}
        onClick={() => onToggle(alert)}
      >
        {alert.viewed ? text.alerts.markUnviewed : text.alerts.markViewed}
      </Button>
      <LinkButton size="sm" icon={Video} to={`/?camera=${encodeURIComponent(alert.stream_id)}`}>
        <span className="max-md:sr-only">{text.alerts.goToCamera}</span>
      </LinkButton>
      <div className="ml-auto flex items-center">
        <IconButton
          icon={Trash2}
          size="sm"
          label={text.alerts.removeMenu}
          disabled={forbidden !== undefined}
          title={forbidden ?? text.alerts.removeMenu}
          onClick={() => onRemove(alert)}
        />
        <IconButton icon={ChevronUp} size="sm" label={text.alerts.previous} onClick={() => onMove(-1)} />
        <IconButton icon={ChevronDown} size="sm" label={text.alerts.next} onClick={() => onMove(1)} />
      </div>
    </div>
  );
}

interface MembersProps {
  readonly members: readonly Detection[];
  readonly shownId: string | undefined;
  readonly onShow: (id: string) => void;
}

function Members({ members, shownId, onShow }: MembersProps) {
  return (
    <section aria-label={text.alerts.others(members.length)} className="flex flex-col gap-2">
      <h3 className="flex flex-wrap items-baseline gap-x-2 font-medium text-sm">
        {text.alerts.others(members.length)}
        <span className="font-normal text-ink-faint">{text.alerts.othersHint}</span>
      </h3>
      <ul className="-mx-1 flex flex-wrap gap-2 px-1">
        {members.map((detection, index) => {
          const time = formatTime(detection.timestamp);
          const isShown = detection.id === shownId;
          return (
            <li key={detection.id}>
              <button
                type="button"
                aria-pressed={isShown}
                onClick={() => onShow(detection.id)}
                className={cx(
                  'flex w-25 flex-col overflow-hidden rounded-md border bg-surface text-left',
                  isShown ? 'border-accent ring-1 ring-accent' : 'border-line hover:border-line-strong',
                )}
              >
                <FaceThumbnail of={detection} />
                <span className="tabular flex flex-col px-1.5 py-1 text-xs">
                  <span className="sr-only">{text.alerts.showDetection(index + 1)}</span>
                  {time}
                  <span className="text-ink-faint">{formatPercent(detection.confidence_score)}</span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Body(props: AlertDetailProps & { readonly alert: Alert }) {
  const { alert, enlarged, onEnlarge } = props;
  const { may } = useSession();
  const members = useMembers(alert);
  const [chosen, setChosen] = useState<string | null>(null);
  const [landmarks, setLandmarks] = useState(false);
  const shown = members.find(({ id }) => id === chosen) ?? members[0];
  const at = shown ?? alert;
  const picture = (maxHeight: string, over?: ReactNode) => (
    <FacePicture
      src={at.image_url}
      alt={text.face.alt(alert.stream, formatDayTime(at.timestamp))}
      face={shown ?? null}
      landmarks={landmarks}
      maxHeight={maxHeight}
    >
      {over}
    </FacePicture>
  );
  return (
    <>
      <Bar {...props} />
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-4 py-4 md:px-5">
        <header className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <h2 className="font-semibold text-xl">{alert.stream}</h2>
          <Badge tone={alert.viewed ? 'neutral' : 'accent'}>
            {alert.viewed ? text.alerts.viewed : text.alerts.unviewed}
          </Badge>
        </header>
        <div className="grid gap-x-6 gap-y-4 [--picture:62dvh] xl:grid-cols-[minmax(0,1fr)_20rem] xl:[--picture:calc(100dvh-12rem)]">
          {picture(
            'var(--picture)',
            <IconButton
              icon={Maximize2}
              tone="plain"
              size="sm"
              label={text.alerts.enlarge}
              className="absolute right-2 bottom-2 opacity-80 hover:opacity-100 focus-visible:opacity-100"
              onClick={() => onEnlarge(true)}
            />,
          )}
          <div className="flex min-w-0 flex-col gap-4">
            <FaceFacts face={at} />
            {shown?.landmarks && (
              <Checkbox checked={landmarks} onChange={setLandmarks} label={text.face.landmarks} />
            )}
            {members.length > 1 && <Members members={members} shownId={shown?.id} onShow={setChosen} />}
          </div>
        </div>
        {!may('operator') && <p className="text-ink-faint text-sm">{text.alerts.needsOperator}</p>}
      </div>
      {enlarged && (
        <Dialog
          title={alert.stream}
          description={formatDayTime(at.timestamp)}
          width="full"
          onClose={() => onEnlarge(false)}
        >
          {picture('80dvh')}
        </Dialog>
      )}
    </>
  );
}

export function AlertDetail(props: AlertDetailProps) {
  const query = useAlert(props.id);
  const gone = query.error instanceof ApiError && query.error.status === 404;
  if (gone && !query.data)
    return (
      <EmptyState
        icon={BellOff}
        title={text.alerts.gone}
        actions={<Button onClick={props.onClose}>{text.alerts.back}</Button>}
      >
        <p>{text.alerts.goneWhy}</p>
      </EmptyState>
    );
  return (
    <Loaded
      query={query}
      skeleton={
        <div className="flex flex-col gap-4 p-5">
          <Skeleton className="h-8 w-64" />
          <Skeleton className="mx-auto aspect-4/3 w-full max-w-[calc(62dvh*4/3)]" />
        </div>
      }
    >
      {(alert) => <Body {...props} alert={alert} key={alert.id} />}
    </Loaded>
  );
}

/** In the place of the open alert while none is. */
export function NothingOpen() {
  const { keys: names } = text.alerts;
  return (
    <div className="flex h-full flex-col items-center justify-center gap-5 p-6 text-ink-soft">
      <p className="font-medium text-ink">{text.alerts.pickTitle}</p>
      <dl className="grid grid-cols-[auto_auto] items-center gap-x-4 gap-y-2 text-sm">
        {(
          [
            [['J', 'K'], names.move],
            [['Space', 'V'], names.mark],
            [['Enter'], names.open],
            [['Esc'], names.close],
          ] as const
        ).map(([caps, meaning]) => (
          <div key={meaning} className="contents">
            <dt className="flex justify-end gap-1">
              {caps.map((cap) => (
                <Key key={cap}>{cap}</Key>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
