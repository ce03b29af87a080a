// All cameras with their current figures, those in trouble first; which of them are drawn is chosen here.
// What trouble is, is decided in figures.ts.

import { Link } from 'wouter';
import type { CameraPerformance, Stream } from '../../api/types.ts';
import { text } from '../../text.ts';
import { cx } from '../../ui/cx.ts';
import { Dot } from '../../ui/surface.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { formatFigure, type Health, latest, lostLately, type Metric, withUnit } from './figures.ts';
import { Sparkline } from './sparkline.tsx';

export interface CameraRow {
  readonly stream: Stream;
  readonly history: CameraPerformance | undefined;
  readonly health: Health;
  /** Which colour it is drawn in; null when it is not. */
  readonly slot: number | null;
}

const { metrics } = text.performance;

/** @param narrow also on a phone, where the charts tell the rest. */
function figure(metric: Exclude<Metric, 'lost_packets'>, narrow = false): Column<CameraRow> {
  const { short, unit } = metrics[metric];
  return {
    id: metric,
    header: short,
    className: cx('md:whitespace-nowrap md:text-right', !narrow && 'max-md:hidden!'),
    cell: ({ history }) => (
      <span className="tabular">{withUnit(history ? latest(history.series[metric]) : null, unit)}</span>
    ),
  };
}

const lost: Column<CameraRow> = {
  id: 'lost',
  header: metrics.lost_packets.short,
  className: 'md:whitespace-nowrap md:text-right max-md:hidden!',
  cell: ({ history }) => {
    const count = lostLately(history);
    return <span className={cx('tabular', count ? 'font-medium text-warn' : '')}>{formatFigure(count)}</span>;
  },
};

const name: Column<CameraRow> = {
  id: 'name',
  header: text.performance.name,
  cell: ({ stream, health }) => (
    <span className="flex min-w-0 items-baseline gap-2.5">
      <Dot tone={health.tone} />
      <span className="flex min-w-0 flex-col">
        <Link to={`/?camera=${encodeURIComponent(stream.id)}`} className="font-medium hover:underline">
          {stream.name}
        </Link>
        <span
          className={cx(
            'font-normal text-sm',
            health.tone === 'bad' ? 'text-bad' : health.tone === 'warn' ? 'text-warn' : 'text-ink-faint',
          )}
        >
          {health.sentence}
        </span>
      </span>
    </span>
  ),
};

const trend: Column<CameraRow> = {
  id: 'trend',
  header: text.performance.trend,
  className: 'md:w-32',
  cell: ({ history }) => (history ? <Sparkline column={history.series.fps} /> : null),
};

export interface CamerasTableProps {
  readonly rows: readonly CameraRow[];
  readonly onDraw: (id: string, drawn: boolean) => void;
}

export function CamerasTable({ rows, onDraw }: CamerasTableProps) {
  const drawn: Column<CameraRow> = {
    id: 'drawn',
    header: text.performance.drawn,
    actions: true,
    className: 'md:w-10',
    cell: ({ stream, slot }) => (
      <input
        type="checkbox"
        aria-label={text.performance.draw(stream.name)}
        title={text.performance.draw(stream.name)}
        checked={slot !== null}
        onChange={(event) => onDraw(stream.id, event.target.checked)}
        style={slot === null ? undefined : { accentColor: `var(--line-${slot})` }}
        className="size-4.5 cursor-pointer align-middle max-md:m-2"
      />
    ),
  };
  return (
    <Table
      caption={text.performance.camerasCaption}
      columns={[
        name,
        trend,
        figure('fps', true),
        figure('delay_ms'),
        figure('detection_ms'),
        figure('bitrate_kbps', true),
        figure('cpu_percent', true),
        figure('memory_mb'),
        lost,
        figure('viewers'),
        drawn,
      ]}
      rows={rows}
      rowKey={({ stream }) => stream.id}
    />
  );
}
