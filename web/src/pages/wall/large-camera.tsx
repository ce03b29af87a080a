// One camera large, with who was seen by it beside it.
// Which one, and the way to the others and back, is in wall-page.tsx.

import { Volume2, VolumeOff } from 'lucide-react';
import type { CSSProperties } from 'react';
import type { Stream } from '../../api/types.ts';
import { type LiveHandle, LiveView } from '../../live/live-view.tsx';
import { text } from '../../text.ts';
import { IconButton } from '../../ui/button.tsx';
import { cx } from '../../ui/cx.ts';
import { videoWords } from '../cameras/camera-status.tsx';
import { CameraEvents } from './camera-events.tsx';
import { figuresOf } from './figures.ts';
import { Trouble } from './trouble.tsx';

export interface LargeCameraProps {
  readonly stream: Stream;
  readonly boxes: boolean;
  readonly muted: boolean;
  /** Over the whole screen the picture has it all. */
  readonly fullScreen: boolean;
  readonly onSound: () => void;
  readonly onEdit: (stream: Stream) => void;
}

function Controls(props: { live: LiveHandle; muted: boolean; onSound: () => void }) {
  const { live, muted, onSound } = props;
  const { state, stats } = live;
  if (state.kind !== 'live') return null;
  return (
    <div className="absolute inset-x-0 bottom-0 flex min-h-11 items-center gap-3 bg-linear-to-t from-black/75 to-transparent px-3 pt-5 pb-1.5 text-on-screen-soft text-sm">
      <span className="tabular shrink-0">{figuresOf(stats)}</span>
      {stats.viewers !== null && stats.viewers > 1 && (
        <span className="tabular shrink-0 max-md:hidden">{text.camera.viewers(stats.viewers)}</span>
      )}
      {state.note && <span className="min-w-0 truncate">{state.note}</span>}
      {stats.audio && (
        <IconButton
          icon={muted ? VolumeOff : Volume2}
          size="sm"
          label={muted ? text.wall.sound : text.wall.mute}
          className="ml-auto"
          onClick={onSound}
        />
      )}
    </div>
  );
}

export function LargeCamera(props: LargeCameraProps) {
  const { stream, boxes, muted, fullScreen, onSound, onEdit } = props;
  const { video } = stream;
  const facts = [videoWords(video), stream.description];
  return (
    <div
      className={cx(
        'flex gap-x-5 gap-y-4',
        fullScreen ? 'h-dvh' : 'flex-col lg:h-[calc(100dvh-var(--header)-2.5rem)] lg:flex-row',
      )}
    >
      <div className="flex min-w-0 flex-col lg:flex-1">
        <div
          style={
            { '--aspect': video && video.width > 0 ? video.width / video.height : 16 / 9 } as CSSProperties
          }
          className={cx(
            'scheme-dark @container relative flex overflow-hidden',
            fullScreen ? 'h-full' : 'aspect-(--aspect) w-full rounded-lg lg:aspect-auto lg:min-h-0 lg:flex-1',
          )}
        >
          <LiveView streamId={stream.id} label={stream.name} boxes={boxes} muted={muted} className="flex-1">
            {(live) => (
              <>
                <Trouble stream={stream} live={live} onEdit={() => onEdit(stream)} />
                <Controls live={live} muted={muted} onSound={onSound} />
              </>
            )}
          </LiveView>
        </div>
        {!fullScreen && (
          <p className="tabular flex min-h-6 flex-wrap gap-x-4 px-1 pt-2 text-ink-soft text-sm">
            {facts.filter(Boolean).map((fact) => (
              <span key={fact}>{fact}</span>
            ))}
          </p>
        )}
      </div>
      {!fullScreen && (
        <aside className="flex min-h-0 flex-col lg:w-72 xl:w-80">
          <CameraEvents stream={stream} />
        </aside>
      )}
    </div>
  );
}
