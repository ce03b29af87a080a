// One face that was noticed: its picture with the box, when, and how sure the detector was.

import { ImageOff } from 'lucide-react';
import { useState } from 'react';
import type { Detection } from '../../api/types.ts';
import { formatPercent } from '../../format.ts';
import { text } from '../../text.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Time } from '../../ui/time.tsx';

const percent = (fraction: number) => `${fraction * 100}%`;

function Picture({ detection }: { readonly detection: Detection }) {
  const { image_url: url, box, frame } = detection;
  const [failed, setFailed] = useState(false);
  if (url === null || failed)
    return (
      <p className="flex items-center gap-2 text-ink-soft">
        <ImageOff size="1.25rem" aria-hidden />
        {text.wall.noImage}
      </p>
    );
  const ratio = frame ? frame.width / frame.height : 4 / 3;
  return (
    <div
      className="relative mx-auto w-full shrink-0 overflow-hidden rounded-md bg-screen"
      // Its place is kept while it comes, in its own shape, so that the box needs no other measure; all of it is in view.
      style={{ aspectRatio: ratio, maxWidth: `calc(64dvh * ${ratio})` }}
    >
      <img src={url} alt="" className="size-full object-contain" onError={() => setFailed(true)} />
      {box && (
        <span
          aria-hidden
          className="absolute rounded-xs border-2 border-face"
          style={{
            left: percent(box.x),
            top: percent(box.y),
            width: percent(box.width),
            height: percent(box.height),
          }}
        />
      )}
    </div>
  );
}

export function EventPicture({
  detection,
  onClose,
}: {
  readonly detection: Detection;
  readonly onClose: () => void;
}) {
  const { stream, timestamp, last_seen: lastSeen, confidence_score: confidence } = detection;
  const facts = [
    [text.wall.firstSeen, <Time key="first" value={timestamp} as="datetime" />],
    [text.wall.lastSeen, <Time key="last" value={lastSeen} as="time" />],
    [text.wall.confidence, formatPercent(confidence)],
  ] as const;
  return (
    <Dialog title={text.wall.eventTitle(stream)} width="lg" onClose={onClose}>
      <Picture detection={detection} />
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-ink-faint text-sm">{name}</dt>
            <dd className="tabular">{value}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
