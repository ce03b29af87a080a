// The live picture of a camera as a React component: a place for the player, what it says of itself, and room for more.
// Playing is player.ts's; what else is on a tile belongs to the pages.

import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { cx } from '../ui/cx.ts';
import type { ServerMessage } from './messages.ts';
import { LivePlayer, type LivePlayerOptions } from './player.ts';
import type { LiveState, LiveStats } from './state.ts';

export interface LiveHandle {
  readonly player: LivePlayer;
  readonly state: LiveState;
  readonly stats: LiveStats;
}

export interface LiveViewProps {
  readonly streamId: string;
  /** For those who cannot see the picture: the camera's name. */
  readonly label: string;
  /** False costs nothing: no connection, no decoding. Default true. */
  readonly visible?: boolean;
  /** `thumbnail`: a still every few seconds. Default `live`. */
  readonly mode?: 'live' | 'thumbnail';
  readonly boxes?: boolean;
  readonly muted?: boolean;
  readonly fit?: 'contain' | 'cover';
  readonly format?: LivePlayerOptions['format'];
  /** Layout only: the place of the picture, which needs a size. */
  readonly className?: string;
  readonly onMessage?: (message: ServerMessage) => void;
  /** In place of the sentence and the note that are written over the picture by default. */
  readonly children?: (live: LiveHandle) => ReactNode;
}

const nothing = () => () => {};

/** State and figures of a player; null as long as there is none. */
export function useLivePlayer(player: LivePlayer | null): LiveHandle | null {
  const subscribe = player?.subscribe ?? nothing;
  const state = useSyncExternalStore(subscribe, () => player?.getState() ?? null);
  const stats = useSyncExternalStore(subscribe, () => player?.getStats() ?? null);
  return player && state && stats ? { player, state, stats } : null;
}

export function LiveView(props: LiveViewProps) {
  const { streamId, label, visible = true, mode = 'live', boxes = true, muted = true } = props;
  const { fit = 'contain', format = 'auto', className, children, onMessage } = props;
  const host = useRef<HTMLDivElement>(null);
  const [player, setPlayer] = useState<LivePlayer | null>(null);
  const first = useRef({ visible, mode, boxes, fit });
  first.current = { visible, mode, boxes, fit };

  useEffect(() => {
    if (!host.current) return;
    const made = new LivePlayer(host.current, { streamId, format, ...first.current });
    setPlayer(made);
    return () => {
      made.destroy();
      setPlayer(null);
    };
  }, [streamId, format]);
  useEffect(() => player?.setVisible(visible), [player, visible]);
  useEffect(() => player?.setMode(mode), [player, mode]);
  useEffect(() => player?.setBoxes(boxes), [player, boxes]);
  useEffect(() => player?.setFit(fit), [player, fit]);
  useEffect(() => player?.setMuted(muted), [player, muted]);
  useEffect(() => (onMessage ? player?.onMessage(onMessage) : undefined), [player, onMessage]);

  const live = useLivePlayer(player);
  return (
    <div className={cx('relative overflow-hidden bg-screen text-on-screen', className)}>
      <div
        ref={host}
        role="img"
        aria-label={label}
        className={cx(
          'absolute inset-0 transition-[filter,opacity] duration-300',
          live && live.state.kind !== 'live' && live.state.hasPicture && 'opacity-40 grayscale',
        )}
      />
      {live && (children ? children(live) : <LiveWords state={live.state} />)}
    </div>
  );
}

/** What a tile says in place of its picture, and small beside it. */
export function LiveWords({ state }: { readonly state: LiveState }) {
  return (
    <>
      {state.sentence && (
        <p
          role="status"
          className="pointer-events-none absolute inset-0 flex items-center justify-center text-balance p-4 text-center text-sm"
        >
          {state.sentence}
        </p>
      )}
      {state.note && (
        <p className="pointer-events-none absolute inset-x-0 bottom-0 truncate bg-black/60 px-2 py-1 text-on-screen-soft text-xs">
          {state.note}
        </p>
      )}
    </>
  );
}
