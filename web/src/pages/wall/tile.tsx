// One camera on the wall: its picture, what it is called, how it is doing; large at a click, moved by dragging.
// The picture itself is the player's; where the tile stands is decided by wall-grid.tsx.

import { useSortable } from '@dnd-kit/sortable';
import { GripVertical } from 'lucide-react';
import { memo, type SyntheticEvent, useRef } from 'react';
import { Link } from 'wouter';
import type { Stream, StreamStatus } from '../../api/types.ts';
import { type LiveHandle, LiveView } from '../../live/live-view.tsx';
import { codecName } from '../../live/state.ts';
import { text } from '../../text.ts';
import { IconButton } from '../../ui/button.tsx';
import { cx } from '../../ui/cx.ts';
import { Dot, Skeleton } from '../../ui/surface.tsx';
import { CameraMenu } from '../cameras/camera-menu.tsx';
import { statusTones } from '../cameras/camera-status.tsx';
import { figuresOf } from './figures.ts';
import { Trouble } from './trouble.tsx';
import { useSight } from './use-sight.ts';

export interface TileProps {
  readonly stream: Stream;
  readonly width: number;
  readonly height: number;
  readonly boxes: boolean;
  /** False while something else covers the wall: then no tile is seen. */
  readonly active: boolean;
  readonly onEdit: (stream: Stream) => void;
  readonly onDelete: (stream: Stream) => void;
}

export const tileLink = (id: string) => `/?camera=${encodeURIComponent(id)}`;

const keep = (event: SyntheticEvent) => event.stopPropagation();

interface CaptionProps {
  readonly name: string;
  readonly status: StreamStatus;
  readonly live: LiveHandle | null;
}

/** What it is called; what is special about its picture always, frames a second and delay for whoever looks closer. */
function Caption({ name, status, live }: CaptionProps) {
  const { state, stats } = live ?? {};
  const shown = state?.kind === 'live' ? stats : undefined;
  const note = shown && state?.note ? text.wall.shownAsJpeg(codecName(shown.codec)) : null;
  return (
    <>
      {/* A small tile has no room for it beside the name. */}
      {note && (
        <span className="absolute top-2 left-2 max-w-[calc(100%-1rem)] truncate rounded-sm bg-black/60 px-1.5 py-0.5 text-on-screen-soft text-xs @xs:hidden">
          {note}
        </span>
      )}
      <div
        data-live={shown && ''}
        className="pointer-events-none absolute inset-x-0 bottom-0 flex items-center gap-2 bg-linear-to-t from-black/75 to-transparent px-2.5 pt-6 pb-2 @max-3xs:px-2 @max-3xs:pb-1.5"
      >
        <Dot tone={statusTones[status]} />
        <span className="min-w-0 truncate font-medium text-sm @max-3xs:text-xs">{name}</span>
        {shown && (
          <span className="tabular ml-auto grid shrink-0 justify-items-end whitespace-nowrap text-on-screen-soft text-xs *:[grid-area:1/1] @max-2xs:hidden">
            {note && (
              <span className="transition-opacity group-focus-within:opacity-0 group-hover:opacity-0 @max-xs:hidden">
                {note}
              </span>
            )}
            <span className="opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100">
              {figuresOf(shown)}
            </span>
          </span>
        )}
      </div>
    </>
  );
}

export const Tile = memo(function Tile(props: TileProps) {
  const { stream, width, height, boxes, active, onEdit, onDelete } = props;
  const { id, name, status } = stream;
  const ref = useRef<HTMLLIElement | null>(null);
  const sight = useSight(ref);
  // Once it has been near it is kept, so that its picture is still there when it comes back.
  const everNear = useRef(false);
  everNear.current ||= sight !== 'far';
  const sortable = useSortable({ id });
  const { setNodeRef, setActivatorNodeRef, attributes, listeners, transform, transition, isDragging } =
    sortable;

  return (
    <li
      ref={(element) => {
        ref.current = element;
        setNodeRef(element);
      }}
      {...listeners}
      data-camera={id}
      style={{
        width,
        height,
        transform: transform ? `translate3d(${transform.x}px, ${transform.y}px, 0)` : undefined,
        transition,
      }}
      className={cx(
        'group scheme-dark @container relative touch-manipulation select-none overflow-hidden rounded-lg bg-screen text-on-screen ring-1 ring-line',
        'outline-offset-2 has-[a:focus-visible]:outline-2 has-[a:focus-visible]:outline-accent',
        isDragging && 'z-20 opacity-90 shadow-raised',
      )}
    >
      {/* Below the picture: one that is drawn elsewhere, by a busy machine, is on the screen later than it is said to be. */}
      <span
        aria-hidden
        data-words={text.live.connecting}
        className="absolute inset-0 hidden place-items-center text-on-screen-soft text-sm before:content-[attr(data-words)] group-has-data-live:grid @max-2xs:text-xs"
      />
      {everNear.current ? (
        <LiveView
          streamId={id}
          label={name}
          visible={active && sight !== 'far'}
          mode={sight === 'seen' ? 'live' : 'thumbnail'}
          boxes={boxes}
          className="size-full bg-transparent!"
        >
          {(live) => (
            <>
              <Trouble stream={stream} live={live} onEdit={() => onEdit(stream)} />
              <Caption name={name} status={status} live={live} />
            </>
          )}
        </LiveView>
      ) : (
        <>
          <Trouble stream={stream} live={null} onEdit={() => onEdit(stream)} />
          <Caption name={name} status={status} live={null} />
        </>
      )}
      <Link
        to={tileLink(id)}
        draggable={false}
        aria-label={text.wall.enlarge(name, text.camera.status[status])}
        className="absolute inset-0 outline-none"
      />
      <div
        className={cx(
          'absolute top-1.5 right-1.5 flex gap-1 rounded-md bg-black/55 opacity-0 transition-opacity',
          'focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:hidden',
        )}
      >
        <IconButton
          ref={setActivatorNodeRef}
          {...attributes}
          icon={GripVertical}
          size="sm"
          label={text.wall.move(name)}
          className="cursor-grab"
        />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: only keeps what happens in the menu from moving the tile. */}
        <span onMouseDown={keep} onTouchStart={keep} onKeyDown={keep}>
          <CameraMenu stream={stream} onEdit={onEdit} onDelete={onDelete} />
        </span>
      </div>
    </li>
  );
});

/** In the place of a camera that is not known yet. */
export function TileSkeleton({ width, height }: { readonly width: number; readonly height: number }) {
  return (
    <li style={{ width, height }} aria-hidden>
      <Skeleton className="size-full rounded-lg" />
    </li>
  );
}
