// The tiles of the wall, as large as the place allows, in the order of whoever looks; the order is changed by dragging or by keys.
// How large is computed in grid-shape.ts; what a tile shows is in tile.tsx.

import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  MouseSensor,
  TouchSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { rectSortingStrategy, SortableContext, sortableKeyboardCoordinates } from '@dnd-kit/sortable';
import { type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { Stream } from '../../api/types.ts';
import { text } from '../../text.ts';
import { commonAspect, type GridShape, gridShape } from './grid-shape.ts';

/** px at the usual size of letters; grows with them. */
const leastTileWidth = 200;
const gap = 8;
/** What the page leaves free below it. */
const belowWall = 20;

interface Place {
  readonly width: number;
  readonly height: number;
  /** How much larger than usual everything is. */
  readonly scale: number;
}

/** The room from the element's upper edge to the lower edge of the window, without a bar there, or of the full screen. */
function placeOf(element: HTMLElement, main: HTMLElement): Place {
  const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  // Not clientWidth: rounded up, the last tile of a line would find no room and begin a new one.
  const { top, left, width } = element.getBoundingClientRect();
  const full = document.fullscreenElement;
  const height =
    full instanceof HTMLElement && full.contains(element)
      ? full.clientHeight - 2 * left
      : document.documentElement.clientHeight -
        (top + scrollY) -
        Number.parseFloat(getComputedStyle(main.parentElement ?? main).paddingBottom) -
        belowWall * scale;
  return { width: Math.floor(width), height, scale };
}

/** Measured before the first paint, and whenever the window or what stands above the wall changes. */
function usePlace(ref: RefObject<HTMLElement | null>, shown: boolean): Place | null {
  const [place, setPlace] = useState<Place | null>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    const main = element?.closest('main');
    if (!element || !main || !shown) return;
    const measure = () => {
      const next = placeOf(element, main);
      if (next.width > 0)
        setPlace((now) => (now?.width === next.width && now.height === next.height ? now : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(main);
    addEventListener('resize', measure);
    document.addEventListener('fullscreenchange', measure);
    return () => {
      observer.disconnect();
      removeEventListener('resize', measure);
      document.removeEventListener('fullscreenchange', measure);
    };
  }, [ref, shown]);
  return place;
}

/** Whoever has dragged a tile did not want to open it; the browser takes the end of it for a click. */
function swallowClick(): void {
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener('click', swallow, { capture: true });
  setTimeout(() => removeEventListener('click', swallow, { capture: true }), 60);
}

function announcementsFor(streams: readonly Stream[]): Announcements {
  const said = (
    sentence: (name: string, place: number, all: number) => string,
    id: UniqueIdentifier,
    at: UniqueIdentifier = id,
  ) => {
    const place = streams.findIndex((one) => one.id === at) + 1;
    return sentence(streams.find((one) => one.id === id)?.name ?? '', place, streams.length);
  };
  return {
    onDragStart: ({ active }) => said(text.wall.taken, active.id),
    onDragOver: ({ active, over }) => said(text.wall.over, active.id, over?.id),
    onDragEnd: ({ active, over }) => said(text.wall.put, active.id, over?.id),
    onDragCancel: ({ active }) => said(text.wall.putBack, active.id),
  };
}

const moves: Record<string, (columns: number) => number> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
};

/** The arrow keys go from tile to tile while the focus is on one of them, and not on a button within. */
function onArrow(event: KeyboardEvent<HTMLElement>, columns: number): void {
  const move = moves[event.key]?.(columns);
  if (move === undefined || !(event.target instanceof HTMLAnchorElement)) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('li > a')];
  const next = links[links.indexOf(event.target) + move];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export interface WallGridProps {
  /** In their order. */
  readonly streams: readonly Stream[];
  /** How many tiles there are; more than streams while these are not known yet. */
  readonly count: number;
  readonly shown: boolean;
  readonly onOrder: (ids: readonly string[]) => void;
  readonly children: (shape: GridShape) => ReactNode;
}

/** @param children the tiles, an `li` each. */
export function WallGrid({ streams, count, shown, onOrder, children }: WallGridProps) {
  const ref = useRef<HTMLDivElement>(null);
  const place = usePlace(ref, shown);
  const sensors = useSensors(
    useSensor(MouseSensor, { activationConstraint: { distance: 6 } }),
    // A finger that moves at once scrolls.
    useSensor(TouchSensor, { activationConstraint: { delay: 300, tolerance: 8 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const ids = streams.map(({ id }) => id);
  const aspect = commonAspect(streams.map(({ video }) => video));
  const shape =
    place && gridShape({ ...place, count, gap, aspect, leastWidth: leastTileWidth * place.scale });

  function onDragEnd({ active, over }: DragEndEvent) {
    swallowClick();
    if (!over || over.id === active.id) return;
    const moved = ids.filter((id) => id !== active.id);
    moved.splice(ids.indexOf(String(over.id)), 0, String(active.id));
    onOrder(moved);
  }

  return (
    <div
      ref={ref}
      style={{ minHeight: shape && !shape.scrolls ? place.height : undefined }}
      className="flex flex-col justify-center"
    >
      {shape && (
        <DndContext
          sensors={sensors}
          collisionDetection={closestCenter}
          onDragEnd={onDragEnd}
          onDragCancel={swallowClick}
          accessibility={{
            announcements: announcementsFor(streams),
            screenReaderInstructions: { draggable: text.wall.moveHint },
          }}
        >
          <SortableContext items={ids} strategy={rectSortingStrategy}>
            <ul
              aria-label={text.wall.grid}
              onKeyDown={(event) => onArrow(event, shape.columns)}
              style={{ gap, maxWidth: shape.columns * shape.tileWidth + (shape.columns - 1) * gap }}
              className="mx-auto flex w-full flex-wrap"
            >
              {children(shape)}
            </ul>
          </SortableContext>
        </DndContext>
      )}
    </div>
  );
}
