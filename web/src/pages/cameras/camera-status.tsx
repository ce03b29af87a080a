// How a camera is doing, in a colour and a word; and what it sends, in a few.

import type { Stream, StreamStatus } from '../../api/types.ts';
import { text } from '../../text.ts';
import { Dot, type Tone } from '../../ui/surface.tsx';

export const statusTones: Record<StreamStatus, Tone> = {
  offline: 'neutral',
  connecting: 'accent',
  online: 'good',
  reconnecting: 'warn',
  error: 'bad',
};

export function CameraStatus({ status }: { readonly status: StreamStatus }) {
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <Dot tone={statusTones[status]} />
      {text.camera.status[status]}
    </span>
  );
}

/** H.264 · 640×480 · 15 fps; null when nothing is known. */
export function videoWords(video: Stream['video']): string | null {
  if (!video) return null;
  const { codec, width, height, fps } = video;
  return [
    text.camera.codecs[codec] ?? codec,
    width > 0 && text.camera.size(width, height),
    fps !== null && text.camera.fps(fps),
  ]
    .filter(Boolean)
    .join(' · ');
}
