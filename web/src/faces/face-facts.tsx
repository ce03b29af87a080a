// What is known of a face that was noticed, besides its picture: when, for how long, how sure the detector was.
// The same wherever one is shown large; the picture is in face-picture.tsx.

import type { Detection } from '../api/types.ts';
import { formatDayTime, formatDuration, formatFull, formatPercent } from '../format.ts';
import { text } from '../text.ts';
import { Fact } from '../ui/surface.tsx';

/** A detection, or of an alert what it knows itself. */
export type KnownFace = Pick<Detection, 'timestamp' | 'confidence_score'> &
  Partial<Pick<Detection, 'last_seen' | 'frame'>>;

export function FaceFacts({ face }: { readonly face: KnownFace }) {
  const { timestamp, confidence_score: confidence, last_seen: lastSeen, frame } = face;
  const seconds = lastSeen ? (Date.parse(lastSeen) - Date.parse(timestamp)) / 1000 : 0;
  return (
    <dl className="flex flex-wrap gap-x-7 gap-y-3">
      <Fact name={text.face.noticed}>
        <time dateTime={timestamp} title={formatFull(timestamp)}>
          {formatDayTime(timestamp)}
        </time>
      </Fact>
      {seconds >= 1 && <Fact name={text.face.stayed}>{formatDuration(seconds)}</Fact>}
      <Fact name={text.face.confidence}>{formatPercent(confidence)}</Fact>
      {frame && <Fact name={text.face.frame}>{text.camera.size(frame.width, frame.height)}</Fact>}
    </dl>
  );
}
