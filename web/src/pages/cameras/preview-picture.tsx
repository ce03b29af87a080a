// The live picture of a camera with a box around every face, by whether it would count at a threshold.
// Colour is not all that tells them apart: the line is broken around those who would not.

import { useCallback, useEffect, useState } from 'react';
import type { Stream } from '../../api/types.ts';
import { formatPercent } from '../../format.ts';
import { LiveView } from '../../live/live-view.tsx';
import type { ServerMessage } from '../../live/messages.ts';
import { cx } from '../../ui/cx.ts';
import { Trouble } from '../wall/trouble.tsx';

interface Face {
  readonly confidence: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export interface PreviewPictureProps {
  readonly stream: Stream;
  /** 0–1 */
  readonly threshold: number;
  /** Hears how sure the detector is of each face in the picture now. */
  readonly onFaces: (confidences: readonly number[]) => void;
  readonly onEdit: () => void;
}

/** Without news for so long, nobody is there any more, ms. */
const keptForMs = 3_000;
const nobody: readonly Face[] = [];
const percent = (fraction: number) => `${fraction * 100}%`;

function FaceBox({ face: { box, confidence }, counts }: { readonly face: Face; readonly counts: boolean }) {
  return (
    <span
      aria-hidden
      data-counts={counts}
      className={cx('absolute rounded-xs border-2', counts ? 'border-good' : 'border-warn border-dashed')}
      style={{
        left: percent(box.x),
        top: percent(box.y),
        width: percent(box.width),
        height: percent(box.height),
      }}
    >
      <span
        className={cx(
          'tabular absolute -top-5 -left-0.5 rounded-xs px-1 font-semibold text-screen text-xs',
          counts ? 'bg-good' : 'bg-warn',
        )}
      >
        {formatPercent(confidence)}
      </span>
    </span>
  );
}

export function PreviewPicture(props: PreviewPictureProps) {
  const { stream, threshold, onFaces, onEdit } = props;
  const [faces, setFaces] = useState(nobody);
  const onMessage = useCallback((message: ServerMessage) => {
    if (message.type === 'detections') setFaces([...message.faces, ...(message.below ?? [])]);
  }, []);
  useEffect(() => {
    onFaces(faces.map(({ confidence }) => confidence));
    if (faces.length === 0) return;
    const timer = setTimeout(() => setFaces(nobody), keptForMs);
    return () => clearTimeout(timer);
  }, [faces, onFaces]);

  const { video } = stream;
  return (
    <div
      className="scheme-dark @container relative w-full overflow-hidden rounded-lg bg-screen text-on-screen"
      // The picture fills it, so that boxes need no other measure.
      style={{ aspectRatio: video && video.width > 0 ? `${video.width} / ${video.height}` : '16 / 9' }}
    >
      <LiveView
        streamId={stream.id}
        label={stream.name}
        boxes={false}
        className="size-full"
        onMessage={onMessage}
      >
        {(live) => (
          <>
            {live.state.kind === 'live' &&
              faces.map((face) => (
                <FaceBox
                  key={`${face.box.x} ${face.box.y}`}
                  face={face}
                  counts={face.confidence >= threshold}
                />
              ))}
            <Trouble stream={stream} live={live} onEdit={onEdit} />
          </>
        )}
      </LiveView>
    </div>
  );
}
