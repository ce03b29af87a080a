// What a tile says when there is no picture: why, and what can be done about it here.

import { CircleAlert, LoaderCircle, Pencil, Play, Power, RefreshCw } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Stream, StreamStatus } from '../../api/types.ts';
import type { LiveHandle } from '../../live/live-view.tsx';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { cx } from '../../ui/cx.ts';
import type { Icon } from '../../ui/icon.ts';
import { useCameraActions } from '../cameras/use-camera-actions.ts';

const icons: Record<StreamStatus, Icon> = {
  offline: Power,
  connecting: LoaderCircle,
  online: LoaderCircle,
  reconnecting: RefreshCw,
  error: CircleAlert,
};

export interface TroubleProps {
  readonly stream: Stream;
  /** Null as long as there is no player. */
  readonly live: LiveHandle | null;
  readonly onEdit: () => void;
}

export function Trouble({ stream, live, onEdit }: TroubleProps) {
  const { may } = useSession();
  const actions = useCameraActions(stream);
  const { status } = stream;
  const { hasPicture, ...told } = live?.state ?? { hasPicture: false, kind: 'wait', sentence: null };
  // At rest it is seen by nobody, but for the moment in which somebody comes back to it.
  const resting = live?.state.code === 'resting';
  const sentence = resting ? null : told.sentence;
  if (told.kind === 'live' || (hasPicture && sentence === null)) return null;
  const Glyph = icons[status];
  const turns = status === 'connecting' || status === 'online';
  return (
    <div
      className={cx(
        'pointer-events-none absolute inset-0 flex flex-col items-center justify-center gap-2 px-4 pb-6 text-center',
        // The last picture stays, and is seen to be old.
        hasPicture ? 'bg-black/50' : 'bg-screen',
      )}
    >
      <Glyph
        size="1.375rem"
        strokeWidth={1.7}
        aria-hidden
        className={cx('shrink-0', turns && 'animate-turn', status === 'error' ? 'text-bad' : 'text-ink-soft')}
      />
      <p
        className={cx(
          'line-clamp-4 max-w-[40ch] text-ink text-sm @max-2xs:text-xs',
          // Where pictures come at once, it turns for a moment and says nothing.
          turns && 'animate-late',
        )}
      >
        {sentence ?? stream.last_error ?? text.live.connecting}
      </p>
      {may('operator') && (
        <Action status={status} onEdit={onEdit} onStart={actions.start} busy={actions.busy} />
      )}
    </div>
  );
}

function Action(props: {
  status: StreamStatus;
  busy: boolean;
  onEdit: () => void;
  onStart: () => void;
}): ReactNode {
  const { status, busy, onEdit, onStart } = props;
  const look = 'pointer-events-auto relative z-10';
  if (status === 'error')
    return (
      <Button size="sm" icon={Pencil} className={look} onClick={onEdit}>
        {text.camera.edit}
      </Button>
    );
  if (status === 'offline')
    return (
      <Button size="sm" icon={Play} className={look} busy={busy} onClick={onStart}>
        {text.camera.start}
      </Button>
    );
  return null;
}
