// One alert in the list: who, where, when, and whether anybody has viewed it.

import { Mail, MailOpen } from 'lucide-react';
import { memo } from 'react';
import type { Alert } from '../../api/types.ts';
import { FaceThumbnail } from '../../faces/face-thumbnail.tsx';
import { formatDay, formatPercent, formatTime } from '../../format.ts';
import { text } from '../../text.ts';
import { IconButton } from '../../ui/button.tsx';
import { cx } from '../../ui/cx.ts';

export interface AlertRowProps {
  readonly alert: Alert;
  readonly open: boolean;
  /** Absent for those who may not. */
  readonly onToggle: ((alert: Alert) => void) | undefined;
  readonly onOpen: (id: string) => void;
}

export const rowId = (id: string) => `alert-${id}`;

/** In rem; the list is virtual and has to know. */
export const rowHeight = 4.25;

export const AlertRow = memo(function AlertRow({ alert, open, onToggle, onOpen }: AlertRowProps) {
  const { id, stream, timestamp, viewed, confidence_score: confidence, detections_count: count } = alert;
  const [day, time] = [formatDay(timestamp), formatTime(timestamp)];
  const isToday = day === text.time.today;
  const faces = text.alerts.faces(count);
  const MarkIcon = viewed ? Mail : MailOpen;
  return (
    <div
      className={cx(
        'group relative flex h-full items-center border-line border-b transition-colors',
        open ? 'bg-accent-soft' : 'hover:bg-hover',
      )}
    >
      {open && <span aria-hidden className="absolute inset-y-0 left-0 w-0.75 bg-accent" />}
      <a
        id={rowId(id)}
        href={`?alert=${id}`}
        aria-current={open ? 'true' : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(id);
        }}
        className="flex h-full min-w-0 flex-1 items-center gap-3 pr-4 pl-3 focus-visible:-outline-offset-2"
      >
        <span className={cx('size-2 shrink-0 rounded-full', viewed ? 'bg-transparent' : 'bg-accent')}>
          <span className="sr-only">{viewed ? text.alerts.viewed : text.alerts.unviewed}</span>
        </span>
        <FaceThumbnail of={alert} className={cx('w-12 shrink-0 rounded-md', viewed && 'opacity-75')} />
        <span className="flex min-w-0 flex-1 flex-col gap-0.5">
          <span className="flex items-baseline gap-3">
            <span className={cx('truncate', viewed ? 'text-ink-soft' : 'font-semibold text-ink')}>
              {stream}
            </span>
            <time
              dateTime={timestamp}
              className={cx(
                'tabular ml-auto shrink-0 text-sm',
                viewed ? 'text-ink-faint' : 'text-ink-soft',
                onToggle && 'group-focus-within:invisible group-hover:invisible pointer-coarse:visible!',
              )}
            >
              {time}
            </time>
          </span>
          <span className="tabular flex items-baseline gap-3 text-ink-faint text-sm">
            <span className="truncate">
              {formatPercent(confidence)} · {faces}
            </span>
            {!isToday && <span className="ml-auto shrink-0">{day}</span>}
          </span>
        </span>
      </a>
      {onToggle && (
        <IconButton
          icon={MarkIcon}
          size="sm"
          tabIndex={-1}
          label={viewed ? text.alerts.markUnviewed : text.alerts.markViewed}
          onClick={() => onToggle(alert)}
          className="absolute top-1 right-2 opacity-0 focus-visible:opacity-100 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:hidden"
        />
      )}
    </div>
  );
});
