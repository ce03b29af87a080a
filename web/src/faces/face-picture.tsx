// The picture of a detection or an alert, with the face boxed in it; its place is kept while it loads.
// Thumbnails are in face-thumbnail.tsx.

import { ImageOff } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { Detection } from '../api/types.ts';
import { formatPercent } from '../format.ts';
import { text } from '../text.ts';
import { cx } from '../ui/cx.ts';

/** What is known of the face in the picture. */
type Face = Pick<Detection, 'box' | 'landmarks' | 'frame' | 'confidence_score'>;

export interface FacePictureProps {
  readonly src: string | null;
  readonly alt: string;
  /** Null: the picture alone. */
  readonly face: Face | null;
  readonly landmarks?: boolean;
  /** The height it may have, as CSS says it. */
  readonly maxHeight: string;
  readonly className?: string;
  /** Laid over the picture. */
  readonly children?: ReactNode;
}

const usualFrame = { width: 4, height: 3 };

function Missing({ sentence }: { readonly sentence: string }) {
  return (
    <span className="absolute inset-0 flex flex-col items-center justify-center gap-2 px-4 text-center text-on-screen-soft text-sm">
      <ImageOff size="1.75rem" strokeWidth={1.6} aria-hidden />
      {sentence}
    </span>
  );
}

function Box({ face, landmarks }: { readonly face: Face; readonly landmarks: boolean }) {
  const { box, frame, confidence_score: confidence } = face;
  if (!box) return null;
  const { width, height } = frame ?? usualFrame;
  return (
    <>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden
        className="pointer-events-none absolute inset-0 size-full text-face"
      >
        {(['#000000a0', 'currentColor'] as const).map((stroke, layer) => (
          <rect
            key={stroke}
            x={box.x * width}
            y={box.y * height}
            width={box.width * width}
            height={box.height * height}
            rx={box.width * width * 0.04}
            fill="none"
            stroke={stroke}
            strokeWidth={layer === 0 ? 4 : 2}
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {landmarks &&
          face.landmarks?.map(({ x, y }) => (
            <circle
              key={`${x} ${y}`}
              cx={x * width}
              cy={y * height}
              r={Math.max(box.width * width * 0.025, width / 400)}
              fill="currentColor"
              stroke="#000000a0"
              vectorEffect="non-scaling-stroke"
            />
          ))}
      </svg>
      <span
        data-face-box
        // Set through the CSSOM, which the content policy allows.
        style={{
          left: `${box.x * 100}%`,
          top: `${box.y * 100}%`,
          width: `${box.width * 100}%`,
          height: `${box.height * 100}%`,
        }}
        className="pointer-events-none absolute"
      >
        <span
          className={cx(
            'tabular absolute left-0 whitespace-nowrap rounded-sm bg-black/70 px-1 font-medium text-face text-xs',
            box.y > 0.08 ? 'bottom-full mb-1' : 'top-full mt-1',
          )}
        >
          <span className="sr-only">{text.face.box(formatPercent(confidence))}</span>
          <span aria-hidden>{formatPercent(confidence)}</span>
        </span>
      </span>
    </>
  );
}

export function FacePicture(props: FacePictureProps) {
  const { src, alt, face, landmarks = false, maxHeight, className, children } = props;
  const [failed, setFailed] = useState<string | null>(null);
  const [loaded, setLoaded] = useState<string | null>(null);
  const { width, height } = face?.frame ?? usualFrame;
  const ratio = width / height;
  return (
    <figure
      style={{ aspectRatio: `${ratio}`, maxWidth: `calc(${maxHeight} * ${ratio})` }}
      className={cx('relative mx-auto w-full overflow-hidden rounded-lg bg-screen', className)}
    >
      {src === null ? (
        <Missing sentence={text.face.missing} />
      ) : failed === src ? (
        <Missing sentence={text.face.gone} />
      ) : (
        <>
          <img
            // Another picture must not show the one before while it loads.
            key={src}
            src={src}
            alt={alt}
            decoding="async"
            onLoad={() => setLoaded(src)}
            onError={() => setFailed(src)}
            className="size-full animate-[appear_0.12s_ease-out] object-contain"
          />
          {face && loaded === src && <Box face={face} landmarks={landmarks} />}
        </>
      )}
      {children}
    </figure>
  );
}
