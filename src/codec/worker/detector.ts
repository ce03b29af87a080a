// The one face detector of this worker process, shared by its channels: started when the first wants faces, never before.
// Passes frames in and results back to their channel; what a channel makes of them is in faces.ts.

import { type DetectionResult, DetectorThread, type OfferedFrame } from '../../detect/mtcnn/thread-client.ts';
import type { DetectorState } from '../../media/faces.ts';
import type { FaceOptions } from '../messages.ts';

export interface DetectorUser {
  result(result: DetectionResult): void;
  state(state: DetectorState, reason: string | null): void;
}

const users = new Map<number, DetectorUser>();
let thread: DetectorThread | null = null;

/** From now on results for `channel` go to `user`, beginning with the state. @returns ends it. */
export function joinDetector(
  channel: number,
  user: DetectorUser,
  { minFaceSize, pause, modelsFolder }: FaceOptions,
): () => void {
  users.set(channel, user);
  // The settings are the service's and the same for every channel: the first one's hold.
  thread ??= new DetectorThread({
    minFaceSize,
    ...(modelsFolder === undefined ? {} : { modelsFolder }),
    ...(pause && {
      pauseBefore: (frame) => (pause.frame === null || pause.frame === frame ? pause.ms : 0),
    }),
    onResult: (result) => users.get(result.channel)?.result(result),
    onState: (state, reason) => {
      for (const each of users.values()) each.state(state, reason ?? null);
    },
  });
  user.state(thread.state, thread.reason ?? null);
  return () => {
    if (users.get(channel) !== user) return;
    users.delete(channel);
    thread?.forget(channel);
  };
}

export function offerFrame(frame: OfferedFrame): void {
  thread?.offer(frame);
}

/** ms between frames of each channel that the detector can keep up with at the moment. */
export function sustainableInterval(): number {
  return thread?.stats.sustainableInterval ?? 0;
}
