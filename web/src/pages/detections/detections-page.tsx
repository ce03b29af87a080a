// The gallery of detections: every face that was noticed, searched by camera, time and confidence.
// One of them large is in detection-view.tsx.

import { ArrowUp, ScanFace, SearchX } from 'lucide-react';
import { memo, useCallback, useDeferredValue, useMemo, useState } from 'react';
import { useFaceAlerts } from '../../api/live.ts';
import { useGallery, useStreams } from '../../api/queries.ts';
import { keys, queryClient } from '../../api/query-client.ts';
import type { Detection, DetectionFilter, FaceAlertMessage } from '../../api/types.ts';
import { FaceThumbnail } from '../../faces/face-thumbnail.tsx';
import { formatDay, formatPercent, formatTime } from '../../format.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Slider } from '../../ui/controls.tsx';
import { Field } from '../../ui/field.tsx';
import { Loaded, More } from '../../ui/list-state.tsx';
import { EmptyState, Skeleton } from '../../ui/surface.tsx';
import { DetectionView } from './detection-view.tsx';
import { RecordFilters } from './record-filters.tsx';
import { type Search, useRecordSearch } from './record-search.ts';

const grid = 'grid grid-cols-3 gap-x-2.5 gap-y-3 md:grid-cols-[repeat(auto-fill,minmax(7.25rem,1fr))]';

/** As in the address: a whole number of percent. */
function readPercent(value: string | null): number {
  const percent = Number(value ?? 0);
  return Number.isInteger(percent) && percent > 0 && percent <= 100 ? percent : 0;
}

/** From so many on, those out of view are neither laid out nor painted. */
const manyTiles = 600;

interface TileProps {
  readonly detection: Detection;
  readonly skipped: boolean;
  readonly onOpen: (id: string) => void;
}

const Tile = memo(function Tile({ detection, skipped, onOpen }: TileProps) {
  const { id, stream, timestamp, confidence_score: confidence } = detection;
  const time = formatTime(timestamp);
  return (
    <li className={skipped ? '[contain-intrinsic-size:auto_10rem] [content-visibility:auto]' : undefined}>
      <a
        href={`?face=${id}`}
        data-face={id}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(id);
        }}
        className="group flex flex-col gap-1.5 rounded-md p-0.5"
      >
        <span className="relative">
          <span className="sr-only">{text.detections.tile}</span>
          <FaceThumbnail
            of={detection}
            lazy
            className="rounded-md ring-1 ring-line group-hover:ring-2 group-hover:ring-accent"
          />
          <span className="tabular absolute right-1 bottom-1 rounded-sm bg-black/70 px-1 font-medium text-on-screen text-xs">
            <span className="sr-only">{text.detections.sureOf} </span>
            {formatPercent(confidence)}
          </span>
        </span>
        <span className="flex flex-col px-0.5 leading-tight">
          <span className="truncate text-sm">{stream}</span>
          <span className="tabular text-ink-faint text-xs">{time}</span>
        </span>
      </a>
    </li>
  );
});

/** Those of one day stand together, newest day first. */
function byDay(detections: readonly Detection[]): { readonly day: string; readonly of: Detection[] }[] {
  const days: { day: string; of: Detection[] }[] = [];
  for (const detection of detections) {
    const day = formatDay(detection.timestamp);
    const last = days.at(-1);
    if (last?.day === day) last.of.push(detection);
    else days.push({ day, of: [detection] });
  }
  return days;
}

function Waiting() {
  return (
    <div role="status" className={grid}>
      <span className="sr-only">{text.ui.loading}</span>
      {Array.from({ length: 24 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike and never change places.
        <Skeleton key={index} className="mb-10 aspect-square rounded-md" />
      ))}
    </div>
  );
}

function Nothing({ isFiltered, onClear }: { readonly isFiltered: boolean; readonly onClear: () => void }) {
  const { data: streams } = useStreams();
  if (isFiltered)
    return (
      <EmptyState
        icon={SearchX}
        title={text.detections.nothingTitle}
        actions={<Button onClick={onClear}>{text.detections.clear}</Button>}
      >
        <p>{text.detections.nothing}</p>
      </EmptyState>
    );
  const noCameras = streams?.length === 0;
  return (
    <EmptyState
      icon={ScanFace}
      title={text.detections.emptyTitle}
      actions={noCameras && <LinkButton to="/cameras">{text.detections.emptyAction}</LinkButton>}
    >
      <p>{noCameras ? text.detections.emptyNoCameras : text.detections.empty}</p>
    </EmptyState>
  );
}

interface FiltersProps {
  readonly search: Search;
  readonly percent: number;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}

function Filters({ search, percent, isFiltered, onClear }: FiltersProps) {
  const said = percent === 0 ? text.detections.any : formatPercent(percent / 100);
  return (
    <search className="mb-4 grid grid-cols-2 items-end gap-x-3 gap-y-2 md:grid-cols-[repeat(auto-fill,minmax(11rem,13rem))]">
      <RecordFilters search={search} />
      <Field
        label={text.detections.confidence}
        aside={<span className="tabular text-ink-soft text-sm">{said}</span>}
        className="max-md:col-span-2 gap-0!"
      >
        {(control) => (
          <Slider
            {...control}
            min={0}
            max={99}
            step={1}
            value={percent}
            valueText={said}
            onChange={(value) => search.change({ confidence: value === 0 ? undefined : String(value) })}
          />
        )}
      </Field>
      {isFiltered && (
        <Button tone="quiet" className="justify-self-start" onClick={onClear}>
          {text.detections.clear}
        </Button>
      )}
    </search>
  );
}

/** What has come since the gallery was opened stays out of it until it is asked for. */
function Fresh({ filter }: { readonly filter: DetectionFilter }) {
  const [fresh, setFresh] = useState<{ filter: DetectionFilter; count: number }>({ filter, count: 0 });
  const { stream_id: camera, until, min_confidence: least = 0 } = filter;
  useFaceAlerts(
    useCallback(
      (alert: FaceAlertMessage) => {
        const fits = (!camera || camera === alert.stream_id) && alert.confidence >= least;
        if (!fits || (until && Date.parse(alert.timestamp) >= Date.parse(until))) return;
        setFresh((before) => ({ filter, count: before.filter === filter ? before.count + 1 : 1 }));
      },
      [camera, until, least, filter],
    ),
  );
  const count = fresh.filter === filter ? fresh.count : 0;
  if (count === 0) return null;
  return (
    <Button
      size="sm"
      tone="primary"
      icon={ArrowUp}
      className="animate-appear"
      onClick={() => {
        setFresh({ filter, count: 0 });
        scrollTo({ top: 0 });
        void queryClient.resetQueries({ queryKey: keys.gallery(filter) });
      }}
    >
      {text.detections.fresh(count)}
    </Button>
  );
}

export default function DetectionsPage() {
  const search = useRecordSearch();
  const { params, change, times, search: wanted } = search;
  const percent = readPercent(params.get('confidence'));
  // While the slider moves, the gallery follows when it can.
  const least = useDeferredValue(percent);
  const filter: DetectionFilter = useMemo(
    () => ({
      ...times,
      ...(wanted.camera && { stream_id: wanted.camera }),
      ...(least > 0 && { min_confidence: least / 100 }),
    }),
    [times, wanted.camera, least],
  );
  const query = useGallery(filter);
  const detections = useMemo(() => query.data?.pages.flatMap((page) => page.detections) ?? [], [query.data]);
  const days = useMemo(() => byDay(detections), [detections]);
  const openId = params.get('face');
  const open = useCallback(
    (id: string | undefined) => change({ face: id }, id !== undefined && openId === null),
    [change, openId],
  );
  const isFiltered = search.isFiltered || percent > 0;
  const clear = () =>
    change({ camera: undefined, range: undefined, from: undefined, until: undefined, confidence: undefined });
  const { hasNextPage } = query;

  return (
    <Page
      title={text.detections.title}
      width="full"
      aside={
        <span className="tabular" role="status">
          {detections.length > 0 && text.detections.count(detections.length, hasNextPage)}
        </span>
      }
      actions={<Fresh filter={filter} />}
    >
      <Filters search={search} percent={percent} isFiltered={isFiltered} onClear={clear} />
      <Loaded query={query} skeleton={<Waiting />}>
        {() =>
          detections.length === 0 ? (
            <Nothing isFiltered={isFiltered} onClear={clear} />
          ) : (
            <div aria-busy={query.isPlaceholderData} className={query.isPlaceholderData ? 'opacity-60' : ''}>
              {days.map(({ day, of }) => (
                <section key={day} className="mb-5">
                  <h2 className="mb-2 font-medium text-ink-soft text-sm">{day}</h2>
                  <ul className={grid}>
                    {of.map((detection) => (
                      <Tile
                        key={detection.id}
                        detection={detection}
                        skipped={detections.length > manyTiles}
                        onOpen={open}
                      />
                    ))}
                  </ul>
                </section>
              ))}
              <More query={query} end={text.detections.end} />
            </div>
          )
        }
      </Loaded>
      {openId !== null && (
        <DetectionView
          id={openId}
          detections={detections}
          hasMore={hasNextPage}
          onNearEnd={() => {
            if (hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
          }}
          onOpen={open}
          onClose={() => open(undefined)}
        />
      )}
    </Page>
  );
}
