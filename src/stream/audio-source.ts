// What the edges (WebSocket, REST) see of a camera's sound: AAC, whatever the camera sends.
// Types only; codec makes it, app joins the parts.

import type { AudioParameters, AudioUnit } from '../media/audio.ts';

export interface AudioListener {
  /** What the units from now on are; null when there is no sound. Never called twice with the same. */
  onAudio(audio: AudioParameters | null): void;
  /** On the clock of the video's access units, in order, without overlap. Each is the start of something decodable. */
  onAudioUnit(unit: AudioUnit): void;
}

/** The sound of one camera: AAC passed on, anything else made into AAC once for all, and only while somebody listens. */
export interface AudioSource {
  /** What listeners get, known without listening; null while the camera sends no sound that can be used. */
  readonly audio: AudioParameters | null;
  /** The name of the camera's audio codec when it cannot be used. */
  readonly unsupported: string | null;
  readonly figures: AudioFigures;
  /**
   * `onAudio` is called at once (from within this call) when there is sound.
   * @returns ends the subscription; may be called from within a callback, and more than once.
   */
  subscribe(listener: AudioListener): () => void;
}

export interface AudioFigures {
  readonly listeners: number;
  /** Units given to listeners since the service started. */
  readonly units: number;
  /** Of the camera's, those not made into AAC because the worker was behind or gone. */
  readonly dropped: number;
  readonly errors: number;
  /** Whether a worker makes AAC at the moment. */
  readonly transcoding: boolean;
}
