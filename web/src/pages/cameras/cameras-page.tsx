// All cameras as a list: how each is doing, what it sends, what can be done about it.
// One of them with its settings is in camera-page.tsx; watching is the wall's business.

import { Cctv, Plus, Search, SearchX } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useStreams } from '../../api/queries.ts';
import type { Stream } from '../../api/types.ts';
import { formatCount, formatPercent } from '../../format.ts';
import { useSession } from '../../session.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Input } from '../../ui/controls.tsx';
import { iconLook } from '../../ui/icon.ts';
import { Loaded } from '../../ui/list-state.tsx';
import { Badge, EmptyState, SkeletonLines } from '../../ui/surface.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { CameraForm } from './camera-form.tsx';
import { CameraMenu, cameraLink } from './camera-menu.tsx';
import { CameraStatus, videoWords } from './camera-status.tsx';
import { DeleteCamera } from './delete-camera.tsx';

const words = text.cameras;

/** Fewer are seen at a glance. */
const searchedFrom = 8;
const askEveryMs = 5_000;

type Open = { readonly what: 'add' } | { readonly what: 'edit' | 'delete'; readonly stream: Stream };

/** What it shows now, small; nothing is fetched for what is off screen. */
function Thumbnail({ stream: { id, status } }: { readonly stream: Stream }) {
  const [failed, setFailed] = useState(false);
  const shown = status === 'online' && !failed;
  return (
    <span className="flex aspect-4/3 w-14 shrink-0 items-center justify-center overflow-hidden rounded-sm bg-sunken text-ink-faint">
      {shown ? (
        <img
          src={`/api/streams/${encodeURIComponent(id)}/snapshot.jpg`}
          alt=""
          loading="lazy"
          className="size-full object-cover"
          onError={() => setFailed(true)}
        />
      ) : (
        <Cctv {...iconLook} />
      )}
    </span>
  );
}

function Name({ stream }: { readonly stream: Stream }) {
  const { id, name, rtsp_url: address } = stream;
  return (
    <span className="flex min-w-0 items-center gap-3">
      <Thumbnail stream={stream} />
      <span className="flex min-w-0 flex-col">
        <Link to={cameraLink(id)} className="truncate hover:underline">
          {name}
        </Link>
        {address && (
          <span className="truncate font-mono font-normal text-ink-faint text-xs" title={address}>
            {address}
          </span>
        )}
      </span>
    </span>
  );
}

function Status({ stream: { status, last_error: reason } }: { readonly stream: Stream }) {
  return (
    <span className="flex flex-col">
      <CameraStatus status={status} />
      {reason && status !== 'online' && status !== 'offline' && (
        <span className="line-clamp-3 pl-4 text-ink-soft text-sm">{reason}</span>
      )}
    </span>
  );
}

function columnsFor(
  onEdit: (stream: Stream) => void,
  onDelete: (stream: Stream) => void,
): readonly Column<Stream>[] {
  return [
    { id: 'name', header: words.name, cell: (stream) => <Name stream={stream} />, className: 'md:max-w-80' },
    { id: 'status', header: words.status, cell: (stream) => <Status stream={stream} /> },
    {
      id: 'video',
      header: words.video,
      className: 'tabular whitespace-nowrap text-ink-soft md:w-52',
      cell: ({ video }) => videoWords(video) ?? text.ui.none,
    },
    {
      id: 'faces',
      header: words.faces,
      className: 'whitespace-nowrap text-ink-soft md:w-28',
      cell: ({ detection_enabled: on, confidence_threshold: threshold }) =>
        on ? words.facesOn(formatPercent(threshold)) : <Badge tone="warn">{words.facesOff}</Badge>,
    },
    {
      id: 'viewers',
      header: words.viewers,
      className: 'tabular text-ink-soft md:w-20',
      cell: ({ viewers }) => formatCount(viewers),
    },
    {
      id: 'actions',
      header: text.ui.actions,
      actions: true,
      className: 'md:w-14',
      cell: (stream) => <CameraMenu stream={stream} at="list" onEdit={onEdit} onDelete={onDelete} />,
    },
  ];
}

function matches({ name, description, rtsp_url: address }: Stream, search: string): boolean {
  return [name, description, address ?? ''].some((one) =>
    one.toLowerCase().includes(search.trim().toLowerCase()),
  );
}

export default function CamerasPage() {
  const query = useStreams();
  const { may } = useSession();
  const [open, setOpen] = useState<Open | null>(null);
  const [search, setSearch] = useState('');
  const all = query.data ?? [];
  const { refetch } = query;
  // Status is told at once; viewers, size and rate are asked for.
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void refetch();
    }, askEveryMs);
    return () => clearInterval(timer);
  }, [refetch]);
  const found = all.filter((stream) => matches(stream, search));
  const close = () => setOpen(null);
  const mayAdd = may('operator');
  const add = mayAdd && (
    <Button tone="primary" icon={Plus} onClick={() => setOpen({ what: 'add' })}>
      {words.add}
    </Button>
  );
  const columns = columnsFor(
    (stream) => setOpen({ what: 'edit', stream }),
    (stream) => setOpen({ what: 'delete', stream }),
  );

  return (
    <Page
      title={words.title}
      aside={all.length > 0 && formatCount(all.length)}
      actions={all.length > 0 && add}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={5} className="h-11" />}>
        {() =>
          all.length === 0 ? (
            <EmptyState icon={Cctv} title={words.emptyTitle} actions={add}>
              <p>{mayAdd ? words.emptyOperator : words.emptyViewer}</p>
            </EmptyState>
          ) : (
            <>
              {all.length >= searchedFrom && (
                <div className="mb-4 flex flex-wrap items-center gap-3">
                  <div className="relative w-full md:w-72">
                    <Search
                      {...iconLook}
                      className="-translate-y-1/2 pointer-events-none absolute top-1/2 left-2.5 text-ink-faint"
                    />
                    <Input
                      type="search"
                      aria-label={words.search}
                      placeholder={words.searchPlaceholder}
                      value={search}
                      className="pl-8.5"
                      onChange={(event) => setSearch(event.target.value)}
                    />
                  </div>
                  <p role="status" className="text-ink-faint text-sm">
                    {search && words.found(found.length, all.length)}
                  </p>
                </div>
              )}
              {found.length > 0 ? (
                <Table caption={words.caption} columns={columns} rows={found} rowKey={({ id }) => id} />
              ) : (
                <EmptyState
                  icon={SearchX}
                  title={words.nothingFoundTitle}
                  actions={<Button onClick={() => setSearch('')}>{words.clearSearch}</Button>}
                >
                  <p>{words.nothingFound}</p>
                </EmptyState>
              )}
            </>
          )
        }
      </Loaded>
      {open?.what === 'add' && <CameraForm onClose={close} />}
      {open?.what === 'edit' && <CameraForm stream={open.stream} onClose={close} />}
      {open?.what === 'delete' && <DeleteCamera stream={open.stream} onClose={close} />}
    </Page>
  );
}
