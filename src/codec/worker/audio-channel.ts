// One camera's sound inside a worker: its units strictly in order through the transcoder.
// Knows nothing of processes; what it has to say goes through `AudioOutput`.

import type { AudioParameters } from '../../media/audio.ts';
import type { AudioPiece } from '../messages.ts';
import { AudioTranscoder } from './audio.ts';

export interface Sound {
  readonly data: Uint8Array;
  readonly timestamp: number;
  readonly receivedAt: number;
}

export interface AudioOutput {
  /** Once per unit, in order. @param worked ms. */
  done(pieces: readonly AudioPiece[], worked: number): void;
  failed(message: string): void;
  /** Runs `work` at its turn: at once, or one at a time with other channels under suspicion. */
  turn(work: () => Promise<void>): Promise<void>;
}

export class AudioChannel {
  readonly #audio: AudioParameters;
  readonly #output: AudioOutput;
  #transcoder: AudioTranscoder | null = null;
  /** The end of the queue; never rejects. */
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(audio: AudioParameters, output: AudioOutput) {
    this.#audio = audio;
    this.#output = output;
  }

  push(sound: Sound): void {
    this.#last = this.#last.then(() => this.#process(sound));
  }

  close(): void {
    this.#closed = true;
    this.#last = this.#last.then(() => this.#free());
  }

  async #process({ data, timestamp, receivedAt }: Sound): Promise<void> {
    if (this.#closed) return;
    const pieces: AudioPiece[] = [];
    let worked = 0;
    try {
      await this.#output.turn(async () => {
        const startedAt = performance.now();
        this.#transcoder ??= new AudioTranscoder(this.#audio);
        for (const unit of this.#transcoder.transcode(data, timestamp)) pieces.push({ ...unit, receivedAt });
        worked = performance.now() - startedAt;
      });
    } catch (error) {
      this.#free();
      this.#output.failed((error as Error).message);
    }
    if (!this.#closed) this.#output.done(pieces, worked);
  }

  #free(): void {
    this.#transcoder?.free();
    this.#transcoder = null;
  }
}
