// A face, small and square: the one cut out by the service, or the part of the frame around the box.
// The whole picture is in face-picture.tsx.

import { UserRound } from 'lucide-react';
import { type CSSProperties, useState } from 'react';
import type { Detection } from '../api/types.ts';
import { cx } from '../ui/cx.ts';

export interface FaceThumbnailProps {
  readonly of: Pick<Detection, 'thumbnail_url' | 'image_url'> & Partial<Pick<Detection, 'box' | 'frame'>>;
  /** Those further down are fetched when they come near. */
  readonly lazy?: boolean;
  readonly className?: string;
}

/** Room around the face, as a multiple of its longer side. */
const room = 1.5;

/** Moves and scales the whole frame, so that the square shows the face: CSS for an image in a square box. */
function aroundFace({ box, frame }: FaceThumbnailProps['of']): CSSProperties | undefined {
  if (!box || !frame) return undefined;
  const side = Math.min(Math.max(box.width * frame.width, box.height * frame.height) * room, frame.height);
  const left = (box.x + box.width / 2) * frame.width - side / 2;
  const top = (box.y + box.height / 2) * frame.height - side / 2;
  const inside = (from: number, whole: number) => Math.max(0, Math.min(from, whole - side));
  const percent = (pixels: number) => `${(pixels / side) * 100}%`;
  return {
    position: 'absolute',
    maxWidth: 'none',
    width: percent(frame.width),
    height: percent(frame.height),
    left: percent(-inside(left, frame.width)),
    top: percent(-inside(top, frame.height)),
  };
}

/** Decoration: what it shows is said by what it stands in. */
export function FaceThumbnail({ of, lazy = false, className }: FaceThumbnailProps) {
  const [failed, setFailed] = useState<string | null>(null);
  const { thumbnail_url: src, image_url: whole } = of;
  const there = src !== null && src !== failed;
  return (
    <span
      className={cx(
        'relative flex aspect-square items-center justify-center overflow-hidden bg-screen text-on-screen-soft',
        className,
      )}
    >
      {there ? (
        <img
          src={src}
          alt=""
          loading={lazy ? 'lazy' : 'eager'}
          decoding="async"
          onError={() => setFailed(src)}
          style={src === whole ? aroundFace(of) : undefined}
          className="size-full object-cover"
        />
      ) : (
        <UserRound size="40%" strokeWidth={1.4} aria-hidden />
      )}
    </span>
  );
}
