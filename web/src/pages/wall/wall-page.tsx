// The wall: all cameras at once, or one of them large. The address says which, so that it can be kept and sent.
// Tiles are in tile.tsx, their sizes in wall-grid.tsx, the large one in large-camera.tsx.

import {
  ArrowLeft,
  ChevronLeft,
  ChevronRight,
  Maximize,
  Minimize,
  MonitorPlay,
  Plus,
  ScanFace,
} from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { useStreams } from '../../api/queries.ts';
import type { Stream } from '../../api/types.ts';
import { usePreference } from '../../preferences.ts';
import { useSession } from '../../session.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button, IconButton, LinkButton } from '../../ui/button.tsx';
import { cx } from '../../ui/cx.ts';
import { Loaded } from '../../ui/list-state.tsx';
import { EmptyState } from '../../ui/surface.tsx';
import { CameraForm } from '../cameras/camera-form.tsx';
import { CameraMenu } from '../cameras/camera-menu.tsx';
import { CameraStatus } from '../cameras/camera-status.tsx';
import { DeleteCamera } from '../cameras/delete-camera.tsx';
import { LargeCamera } from './large-camera.tsx';
import { inOrder, useWallOrder } from './order.ts';
import { Tile, TileSkeleton, tileLink } from './tile.tsx';
import { useFullScreen } from './use-full-screen.ts';
import { useShortcuts } from './use-shortcuts.ts';
import { WallGrid } from './wall-grid.tsx';

type Open = { readonly what: 'add' } | { readonly what: 'edit' | 'delete'; readonly stream: Stream };

/** Before the first list has come, of somebody who never put anything in order. */
const likelyCount = 4;

function NoCamera({ onAdd }: { readonly onAdd: () => void }) {
  const { may } = useSession();
  const mayAdd = may('operator');
  return (
    <EmptyState
      icon={MonitorPlay}
      title={text.wall.emptyTitle}
      actions={
        mayAdd && (
          <Button tone="primary" icon={Plus} onClick={onAdd}>
            {text.wall.add}
          </Button>
        )
      }
    >
      <p>{mayAdd ? text.wall.emptyOperator : text.wall.emptyViewer}</p>
    </EmptyState>
  );
}

function Gone() {
  return (
    <EmptyState
      icon={MonitorPlay}
      title={text.wall.goneTitle}
      actions={
        <LinkButton to="/" icon={ArrowLeft}>
          {text.wall.toWall}
        </LinkButton>
      }
    >
      <p>{text.wall.gone}</p>
    </EmptyState>
  );
}

export default function WallPage() {
  const query = useStreams();
  const { may } = useSession();
  const [, navigate] = useLocation();
  const [search] = useSearchParams();
  const [order, setOrder] = useWallOrder();
  const [boxesSetting, setBoxes] = usePreference('boxes');
  const [open, setOpen] = useState<Open | null>(null);
  const [muted, setMuted] = useState(true);
  const stage = useRef<HTMLDivElement>(null);
  const fullScreen = useFullScreen(stage);

  const boxes = boxesSetting === 'on';
  const largeId = search.get('camera');
  const streams = useMemo(() => inOrder(query.data ?? [], order), [query.data, order]);
  const large = streams.find(({ id }) => id === largeId);
  const isLarge = largeId !== null;
  const live = streams.filter(({ status }) => status === 'online').length;

  const onEdit = useCallback((stream: Stream) => setOpen({ what: 'edit', stream }), []);
  const onDelete = useCallback((stream: Stream) => setOpen({ what: 'delete', stream }), []);
  const close = () => setOpen(null);

  function go(step: number) {
    if (!large || streams.length < 2) return;
    const next = streams[(streams.indexOf(large) + step + streams.length) % streams.length];
    if (next) navigate(tileLink(next.id), { replace: true });
  }
  const toggleSound = () => setMuted(!muted);
  useShortcuts({
    ...(isLarge && {
      Escape: () => navigate('/'),
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      m: toggleSound,
    }),
    f: fullScreen.toggle,
    b: () => setBoxes(boxes ? 'off' : 'on'),
  });

  // Back on the wall, the focus is on the tile it came from.
  const lastLarge = useRef<string | null>(null);
  useEffect(() => {
    const from = lastLarge.current;
    lastLarge.current = largeId;
    if (largeId !== null || from === null) return;
    // A wall that was never seen has no tiles yet: their place is measured first.
    const frame = requestAnimationFrame(() =>
      stage.current?.querySelector<HTMLElement>(`li[data-camera="${CSS.escape(from)}"] > a`)?.focus(),
    );
    return () => cancelAnimationFrame(frame);
  }, [largeId]);

  const screenButton = fullScreen.possible && streams.length > 0 && (
    <IconButton
      icon={fullScreen.on ? Minimize : Maximize}
      label={fullScreen.on ? text.wall.leaveFullScreen : text.wall.fullScreen}
      onClick={fullScreen.toggle}
    />
  );

  const actions = streams.length > 0 && (
    <>
      {large && streams.length > 1 && (
        <>
          <IconButton icon={ChevronLeft} label={text.wall.previous} onClick={() => go(-1)} />
          <IconButton icon={ChevronRight} label={text.wall.next} onClick={() => go(1)} />
        </>
      )}
      <IconButton
        icon={ScanFace}
        label={text.wall.boxes}
        aria-pressed={boxes}
        className={cx(boxes && 'bg-accent-soft text-accent-ink', isLarge && 'max-md:hidden')}
        onClick={() => setBoxes(boxes ? 'off' : 'on')}
      />
      {screenButton}
      {large ? (
        <CameraMenu stream={large} at="large" size="md" onEdit={onEdit} onDelete={onDelete} />
      ) : (
        !isLarge &&
        may('operator') && (
          <Button icon={Plus} onClick={() => setOpen({ what: 'add' })} className="ml-1 max-md:hidden">
            {text.wall.add}
          </Button>
        )
      )}
    </>
  );

  return (
    <Page
      title={large?.name ?? text.wall.title}
      width="full"
      before={
        isLarge && (
          <IconButton
            icon={ArrowLeft}
            label={text.wall.back}
            className="-ml-2"
            onClick={() => navigate('/')}
          />
        )
      }
      aside={
        <span role="status">
          {large ? (
            <CameraStatus status={large.status} brief />
          ) : (
            streams.length > 0 && !isLarge && text.wall.live(live, streams.length)
          )}
        </span>
      }
      actions={actions}
    >
      <Loaded
        query={query}
        skeleton={
          <WallGrid streams={[]} count={order.length || likelyCount} shown onOrder={setOrder}>
            {({ tileWidth, tileHeight }) =>
              Array.from({ length: order.length || likelyCount }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike and never change places.
                <TileSkeleton key={index} width={tileWidth} height={tileHeight} />
              ))
            }
          </WallGrid>
        }
      >
        {() => (
          <div
            ref={stage}
            className={cx(
              'group/stage relative',
              fullScreen.on && 'overflow-y-auto bg-screen',
              fullScreen.on && !isLarge && 'p-2',
            )}
          >
            {fullScreen.on && (
              <div className="scheme-dark absolute top-3 right-3 z-30 rounded-md bg-black/60 opacity-0 transition-opacity focus-within:opacity-100 group-hover/stage:opacity-100">
                {screenButton}
              </div>
            )}
            {isLarge && !large && <Gone />}
            {large && (
              <LargeCamera
                key={large.id}
                stream={large}
                boxes={boxes}
                muted={muted}
                fullScreen={fullScreen.on}
                onSound={toggleSound}
                onEdit={onEdit}
              />
            )}
            {/* Kept while it is covered, so that the way back is short; what is not seen costs nothing. */}
            <div hidden={isLarge}>
              {streams.length === 0 ? (
                <NoCamera onAdd={() => setOpen({ what: 'add' })} />
              ) : (
                <WallGrid streams={streams} count={streams.length} shown={!isLarge} onOrder={setOrder}>
                  {({ tileWidth, tileHeight }) =>
                    streams.map((stream) => (
                      <Tile
                        key={stream.id}
                        stream={stream}
                        width={tileWidth}
                        height={tileHeight}
                        boxes={boxes}
                        active={!isLarge}
                        onEdit={onEdit}
                        onDelete={onDelete}
                      />
                    ))
                  }
                </WallGrid>
              )}
            </div>
          </div>
        )}
      </Loaded>
      {open?.what === 'add' && <CameraForm onClose={close} />}
      {open?.what === 'edit' && <CameraForm stream={open.stream} onClose={close} />}
      {open?.what === 'delete' && (
        <DeleteCamera
          stream={open.stream}
          onDeleted={() => {
            if (large?.id === open.stream.id) navigate('/');
          }}
          onClose={close}
        />
      )}
    </Page>
  );
}
