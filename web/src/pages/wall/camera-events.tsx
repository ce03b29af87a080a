// Who was seen by one camera, newest first, live: beside its large picture.
// The gallery of all cameras and the inbox of alerts are pages of their own.

import { Bell, ScanFace } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useDetectorState } from '../../api/live.ts';
import { useSetViewed } from '../../api/mutations.ts';
import { useAlerts, useDetections } from '../../api/queries.ts';
import type { Alert, Detection, Stream } from '../../api/types.ts';
import { DetectionBody } from '../../faces/detection-body.tsx';
import { FaceThumbnail } from '../../faces/face-thumbnail.tsx';
import { formatDay, formatPercent, formatTime } from '../../format.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { cx } from '../../ui/cx.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { iconLook } from '../../ui/icon.ts';
import { Loaded, More } from '../../ui/list-state.tsx';
import { SkeletonLines } from '../../ui/surface.tsx';

/** Of detections that join an alert nobody is told; so they are asked for as often as this, ms. */
const askEveryMs = 10_000;
const atOnce = 30;

interface EventProps {
  readonly detection: Detection;
  readonly alert: Alert | undefined;
  readonly onOpen: () => void;
}

function Event({ detection, alert, onOpen }: EventProps) {
  const { timestamp, confidence_score: confidence } = detection;
  const unviewed = alert?.viewed === false;
  return (
    <li>
      <button
        type="button"
        onClick={onOpen}
        className="flex w-full items-center gap-3 rounded-md p-1.5 text-left hover:bg-hover"
      >
        <FaceThumbnail of={detection} lazy className="size-12 shrink-0 rounded-md" />
        <span className="flex min-w-0 flex-1 flex-col">
          <time dateTime={timestamp} className="tabular font-medium">
            {formatTime(timestamp)}
          </time>
          <span className="tabular text-ink-soft text-sm">{formatPercent(confidence)}</span>
        </span>
        {alert && (
          <span
            className={cx(
              'inline-flex shrink-0 items-center gap-1 pr-1 text-xs',
              unviewed ? 'font-medium text-accent-ink' : 'text-ink-faint',
            )}
          >
            <Bell {...iconLook} />
            {unviewed ? text.wall.newAlert : text.wall.alert}
          </span>
        )}
      </button>
    </li>
  );
}

/** Whether faces are looked for here now, and why not. */
function Detector({ stream }: { readonly stream: Stream }) {
  const told = useDetectorState(stream.id);
  const state = stream.detection_enabled ? told?.state : 'off';
  if (!state) return null;
  return (
    <p
      title={told?.message}
      className={cx('flex items-center gap-1.5 text-sm', state === 'failed' ? 'text-bad' : 'text-ink-faint')}
    >
      <ScanFace {...iconLook} />
      {text.wall.detector[state]}
    </p>
  );
}

/** Runs of the same day, in order. */
function byDay(detections: readonly Detection[]): [string, Detection[]][] {
  const days: [string, Detection[]][] = [];
  for (const detection of detections) {
    const day = formatDay(detection.timestamp);
    const last = days.at(-1);
    if (last?.[0] === day) last[1].push(detection);
    else days.push([day, [detection]]);
  }
  return days;
}

export function CameraEvents({ stream }: { readonly stream: Stream }) {
  const { may } = useSession();
  const filter = { stream_id: stream.id };
  const query = useDetections(filter, atOnce);
  const alerts = useAlerts(filter, atOnce);
  const setViewed = useSetViewed();
  const [open, setOpen] = useState<Detection | null>(null);
  const { refetch } = query;

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void refetch();
    }, askEveryMs);
    return () => clearInterval(timer);
  }, [refetch]);

  const alertOf = new Map(
    alerts.data?.pages.flatMap((page) => page.alerts.map((alert) => [alert.detection_id, alert] as const)),
  );

  function show(detection: Detection) {
    const alert = alertOf.get(detection.id);
    if (alert?.viewed === false && may('operator')) setViewed.mutate({ alert, viewed: true });
    setOpen(detection);
  }

  return (
    <section aria-labelledby="camera-events" className="flex min-h-0 flex-1 flex-col">
      <header className="flex flex-wrap items-center justify-between gap-x-3 px-1.5 pb-2">
        <h2 id="camera-events" className="font-semibold text-base">
          {text.wall.events}
        </h2>
        <Detector stream={stream} />
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Loaded query={query} skeleton={<SkeletonLines count={6} className="h-12" />}>
          {({ pages }) => {
            const detections = pages.flatMap((page) => page.detections);
            if (detections.length === 0)
              return (
                <p className="px-1.5 text-ink-soft text-sm">
                  {stream.detection_enabled ? text.wall.eventsEmpty : text.wall.eventsOff}
                </p>
              );
            return (
              <>
                {byDay(detections).map(([day, ofDay]) => (
                  <div key={day}>
                    <h3 className="sticky top-0 z-10 bg-canvas px-1.5 py-1 font-medium text-ink-faint text-xs">
                      {day}
                    </h3>
                    <ul>
                      {ofDay.map((detection) => (
                        <Event
                          key={detection.id}
                          detection={detection}
                          alert={alertOf.get(detection.id)}
                          onOpen={() => show(detection)}
                        />
                      ))}
                    </ul>
                  </div>
                ))}
                {query.hasNextPage && <More query={query} />}
              </>
            );
          }}
        </Loaded>
      </div>
      {open && (
        <Dialog title={text.wall.eventTitle(open.stream)} width="lg" onClose={() => setOpen(null)}>
          <DetectionBody detection={open} />
        </Dialog>
      )}
    </section>
  );
}
