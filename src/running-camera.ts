// Watches for a moment what a connected camera gives anyway: its newest picture and its units.
// The counterpart of camera-probe.ts for a camera that needs no further connection.

import type { Findings } from './camera-probe.ts';
import type { DirectoryCamera } from './directory-camera.ts';
import type { Picture } from './media/access-unit.ts';
import type { AudioOffer } from './media/audio.ts';
import type { Stream } from './stream/stream.ts';
import { VideoTally } from './video-tally.ts';

export interface Patience {
  /** ms; a second keyframe is waited for so long. */
  readonly keyframes: number;
  /** ms; a first picture is waited for so long. */
  readonly picture: number;
}

const askEveryMs = 50;

/** @returns null when the camera went away meanwhile. @throws the reason of the signal. */
export async function watchRunning(
  camera: DirectoryCamera,
  patience: Patience,
  signal: AbortSignal,
): Promise<Findings | null> {
  const { stream } = camera;
  const began = performance.now();
  const tally = new VideoTally();
  let picture: Picture | null = null;
  let firstPicture: number | null = null;
  for (const unit of stream.recentUnits()) tally.add(unit);
  const lostBefore = camera.stats.lost_packets;
  const leave = camera.join();
  const leaveUnits = camera.wantUnits();
  const leaveStream = stream.subscribe({ onUnit: (unit) => tally.add(unit) });
  const leavePictures = camera.pictures.subscribe((made) => {
    picture ??= made;
    firstPicture ??= performance.now() - began;
  });
  try {
    for (;;) {
      const { status, video } = stream;
      if (status !== 'online' || !video) return null;
      const waited = performance.now() - began;
      const keyframes = tally.keyframes >= 2 || waited > patience.keyframes;
      if ((picture !== null && keyframes) || waited > patience.picture) {
        const { transport, lost_packets: lostPackets } = camera.stats;
        return {
          video,
          audio: audioOf(stream),
          transport,
          lostPackets: lostPackets - lostBefore,
          ...tally.figures,
          firstPicture,
          picture,
          decoderTrouble: null,
          ended: null,
        };
      }
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
      signal.throwIfAborted();
    }
  } finally {
    leavePictures();
    leaveStream();
    leaveUnits();
    leave();
  }
}

function audioOf({ audio, unsupportedAudio }: Stream): AudioOffer | null {
  if (audio) return { kind: 'audio', audio };
  return unsupportedAudio ? { kind: 'unsupported', codec: unsupportedAudio } : null;
}
