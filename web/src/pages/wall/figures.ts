// How well a picture is played, in a few words: for whoever looks closer.

import type { LiveStats } from '../../live/state.ts';
import { text } from '../../text.ts';

/** 15 fps · 42 ms; empty while nothing is known. */
export function figuresOf({ fps, delayMs }: Pick<LiveStats, 'fps' | 'delayMs'>): string {
  const figures = [
    fps > 0 && text.camera.fps(fps),
    fps > 0 && delayMs !== null && text.camera.delay(Math.max(1, Math.round(delayMs))),
  ];
  return figures.filter(Boolean).join(' · ');
}
