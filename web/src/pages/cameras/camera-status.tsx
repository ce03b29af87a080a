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

/** @param brief where a phone has no room for the word: then it is heard only. */
export function CameraStatus(props: { readonly status: StreamStatus; readonly brief?: boolean }) {
  const { status, brief = false } = props;
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <Dot tone={statusTones[status]} />
      <span className={brief ? 'max-md:sr-only' : undefined}>{text.camera.status[status]}</span>
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
