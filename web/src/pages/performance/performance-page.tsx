// Performance of the last hour: the service, all cameras with those in trouble first, and charts with a shared cursor.
// Figures are fetched by api/performance.ts and read by figures.ts; a table says the same as the charts.

import { ChartLine } from 'lucide-react';
import { type ReactNode, Suspense, useMemo, useState } from 'react';
import { useCamerasPerformance, useServicePerformance } from '../../api/performance.ts';
import { useStreams } from '../../api/queries.ts';
import type { CameraPerformance, Stream } from '../../api/types.ts';
import { lateCode } from '../../shell/late-code.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { LinkButton } from '../../ui/button.tsx';
import { SegmentedChoice } from '../../ui/controls.tsx';
import { Loaded } from '../../ui/list-state.tsx';
import { Card, EmptyState, Skeleton, SkeletonLines } from '../../ui/surface.tsx';
import { toast } from '../../ui/toast.tsx';
import { type CameraRow, CamerasTable } from './cameras-table.tsx';
import type { Line } from './chart.tsx';
import './chart.css';
import { charted, healthOf, summarise, withUnit } from './figures.ts';
import { FiguresTable } from './figures-table.tsx';
import { type Timeline, timelineOf } from './timeline.ts';

const Chart = lateCode(() => import('./chart.tsx'));

/** As many as there are colours. */
const mostDrawn = 6;
/** Before anybody has chosen. */
const firstDrawn = 4;

const { metrics, serviceMetrics } = text.performance;

export interface Panel {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly about: string;
  readonly lines: readonly Line[];
}

function summaryOf({ name, unit, lines }: Panel): string {
  const parts = lines.map((line) => {
    const { now, lowest, highest } = summarise(line.column);
    const said = (value: number | null) => withUnit(value, unit);
    return text.performance.summary(line.name, said(now), said(lowest), said(highest));
  });
  return [text.performance.chart(name), ...parts].join('. ');
}

function PanelCard({ panel, times }: { readonly panel: Panel; readonly times: readonly number[] }) {
  const isEmpty = panel.lines.every(({ column }) => column.every((value) => value === null));
  return (
    <Card className="flex min-w-0 flex-col gap-2 p-4">
      <header>
        <h3 className="font-medium">{panel.name}</h3>
        <p className="text-ink-faint text-sm">{panel.about}</p>
      </header>
      {/* As high as what comes, so that nothing moves. */}
      <div className="mt-auto min-h-54">
        {isEmpty ? (
          <p className="flex h-54 items-center justify-center text-ink-faint text-sm">
            {times.length === 0 ? text.performance.waiting : text.performance.noSamples}
          </p>
        ) : (
          <Suspense fallback={<Skeleton className="h-54 w-full" />}>
            <Chart summary={summaryOf(panel)} unit={panel.unit} times={times} lines={panel.lines} />
          </Suspense>
        )}
      </div>
    </Card>
  );
}

type View = 'charts' | 'table';

function Panels({ panels, times, view }: { panels: readonly Panel[]; times: readonly number[]; view: View }) {
  if (view === 'table') return <FiguresTable panels={panels} />;
  return (
    <div className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
      {panels.map((panel) => (
        <PanelCard key={panel.id} panel={panel} times={times} />
      ))}
    </div>
  );
}

function PartOfPage({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="mb-7 flex flex-col gap-3">
      <h2 className="font-semibold text-base">{title}</h2>
      {children}
    </section>
  );
}

type Service = NonNullable<ReturnType<typeof useServicePerformance>['data']>;

function servicePanels(service: Service, { place }: Timeline): readonly Panel[] {
  const { series } = service;
  const { mainProcess, workers, all } = text.performance;
  const line = (name: string, slot: number, column: Line['column']): Line => ({
    name,
    slot,
    column: place(service, column),
  });
  return [
    {
      id: 'cpu',
      ...serviceMetrics.cpu,
      lines: [line(mainProcess, 0, series.cpu_percent), line(workers, 1, series.workers_cpu_percent)],
    },
    {
      id: 'memory',
      ...serviceMetrics.memory,
      lines: [line(mainProcess, 0, series.memory_mb), line(workers, 1, series.workers_memory_mb)],
    },
    { id: 'viewers', ...serviceMetrics.viewers, lines: [line(all, 0, series.viewers)] },
  ];
}

function ServicePart({ view }: { readonly view: View }) {
  const query = useServicePerformance();
  const { data } = query;
  const timeline = useMemo(() => timelineOf([data]), [data]);
  const panels = useMemo(() => (data ? servicePanels(data, timeline) : []), [data, timeline]);
  return (
    <PartOfPage title={text.performance.service}>
      <Loaded query={query} skeleton={<SkeletonLines count={1} className="h-74" />}>
        {() => <Panels panels={panels} times={timeline.times} view={view} />}
      </Loaded>
    </PartOfPage>
  );
}

/** Who is drawn, each in a colour of its own that it keeps. */
function useDrawn(streams: readonly Stream[]) {
  const [chosen, setChosen] = useState<readonly (string | null)[] | null>(null);
  const slots = useMemo(() => {
    if (chosen) return chosen.map((id) => (streams.some((stream) => stream.id === id) ? id : null));
    const running = streams.filter(({ status }) => status !== 'offline' && status !== 'error');
    return (running.length > 0 ? running : streams).slice(0, firstDrawn).map(({ id }) => id);
  }, [chosen, streams]);
  const draw = (id: string, drawn: boolean) => {
    const all = Array.from({ length: mostDrawn }, (_, slot) => slots[slot] ?? null);
    const slot = all.indexOf(drawn ? null : id);
    if (slot < 0) return toast.failed(text.performance.drawnMost(mostDrawn));
    setChosen(all.with(slot, drawn ? id : null));
  };
  return { slots, draw };
}

function cameraPanels(rows: readonly CameraRow[], { place }: Timeline): readonly Panel[] {
  const drawn = rows
    .filter((row): row is CameraRow & { slot: number } => row.slot !== null)
    .sort((a, b) => a.slot - b.slot);
  return charted.map((metric) => ({
    id: metric,
    ...metrics[metric],
    lines: drawn.map(({ stream, slot, history }) => ({
      name: stream.name,
      slot,
      column: place(history, history?.series[metric] ?? []),
    })),
  }));
}

function CamerasPart({ streams, view }: { readonly streams: readonly Stream[]; readonly view: View }) {
  const ids = useMemo(() => streams.map(({ id }) => id), [streams]);
  const histories = useCamerasPerformance(ids);
  const { slots, draw } = useDrawn(streams);
  const rows = useMemo(
    () =>
      streams
        .map((stream, index): CameraRow => {
          const history: CameraPerformance | undefined = histories[index];
          const slot = slots.indexOf(stream.id);
          return { stream, history, health: healthOf(stream, history), slot: slot < 0 ? null : slot };
        })
        .sort((a, b) => b.health.weight - a.health.weight || a.stream.name.localeCompare(b.stream.name)),
    [streams, histories, slots],
  );
  const timeline = useMemo(
    () => timelineOf(rows.filter(({ slot }) => slot !== null).map(({ history }) => history)),
    [rows],
  );
  const panels = useMemo(() => cameraPanels(rows, timeline), [rows, timeline]);
  return (
    <PartOfPage title={text.performance.cameras}>
      <Card className="md:px-1 max-md:border-0 max-md:bg-transparent">
        <CamerasTable rows={rows} onDraw={draw} />
      </Card>
      <Panels panels={panels} times={timeline.times} view={view} />
    </PartOfPage>
  );
}

export default function PerformancePage() {
  const streams = useStreams();
  const [view, setView] = useState<View>('charts');
  return (
    <Page
      title={text.performance.title}
      width="full"
      aside={<span className="max-md:hidden">{text.performance.lastHour}</span>}
      actions={
        <SegmentedChoice<View>
          label={text.performance.view}
          value={view}
          onChange={setView}
          options={[
            { value: 'charts', label: text.performance.charts },
            { value: 'table', label: text.performance.table },
          ]}
        />
      }
    >
      <Loaded query={streams} skeleton={<SkeletonLines count={6} className="h-10" />}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              icon={ChartLine}
              title={text.performance.emptyTitle}
              actions={<LinkButton to="/cameras">{text.performance.emptyAction}</LinkButton>}
            >
              <p>{text.performance.empty}</p>
            </EmptyState>
          ) : (
            <CamerasPart streams={all} view={view} />
          )
        }
      </Loaded>
      <ServicePart view={view} />
    </Page>
  );
}
