// One detection in a dialog: the frame with the face boxed, and what is known of it.
// Which one, and what can be done with it, belongs to the pages.

import { useState } from 'react';
import type { Detection } from '../api/types.ts';
import { formatDayTime } from '../format.ts';
import { text } from '../text.ts';
import { Checkbox } from '../ui/controls.tsx';
import { FaceFacts } from './face-facts.tsx';
import { FacePicture } from './face-picture.tsx';

export function DetectionBody({ detection }: { readonly detection: Detection }) {
  const [landmarks, setLandmarks] = useState(false);
  const { stream, timestamp, image_url: image } = detection;
  return (
    <div className="flex flex-col gap-4">
      <FacePicture
        src={image}
        alt={text.face.alt(stream, formatDayTime(timestamp))}
        face={detection}
        landmarks={landmarks}
        maxHeight="66dvh"
      />
      <div className="flex flex-wrap items-end justify-between gap-4">
        <FaceFacts face={detection} />
        {detection.landmarks && (
          <Checkbox checked={landmarks} onChange={setLandmarks} label={text.face.landmarks} />
        )}
      </div>
    </div>
  );
}
