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
  readonly live: LiveHandle;
  readonly onEdit: () => void;
}

export function Trouble({ stream, live, onEdit }: TroubleProps) {
  const { may } = useSession();
  const actions = useCameraActions(stream);
  const { status } = stream;
  const { kind, code, sentence, hasPicture } = live.state;
  if (kind === 'live' || code === 'resting' || (hasPicture && sentence === null)) return null;
  const Glyph = icons[status];
  const turns = status === 'connecting' || status === 'online';
  return (
    <div
      className={cx(
        'pointer-events-none absolute inset-0 flex flex-col items-center justify-center gap-2 px-4 pb-6 text-center',
        // What is coming needs no word for the first moment.
        turns && 'animate-late',
        // The last picture stays, and is seen to be old.
        hasPicture && 'bg-black/50',
      )}
    >
      <Glyph
        size="1.375rem"
        strokeWidth={1.7}
        aria-hidden
        className={cx('shrink-0', turns && 'animate-turn', status === 'error' ? 'text-bad' : 'text-ink-soft')}
      />
      <p className="line-clamp-4 max-w-[40ch] text-ink text-sm @max-2xs:text-xs">
        {sentence ?? stream.last_error}
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
