// The sound of one tile: asked for when somebody wants to hear it and the camera has some, decoded, given to the page.
// In MP4 it comes within the fragments and needs nothing here but the asking.

import type { StreamInfo } from '../messages.ts';
import { type OnSamples, SoundDecoder, type SoundInfo } from './sound-decoder.ts';

/** Of binary messages in `annexb`. */
export const soundKind = 2;

export interface TileSoundOptions {
  /** Tells the service whether sound is to be sent. */
  readonly ask: (on: boolean) => void;
  readonly onSamples: OnSamples;
}

export class TileSound {
  readonly #options: TileSoundOptions;
  #wanted = false;
  /** On this connection, in this format. */
  #asked = false;
  #format: StreamInfo['format'] = 'jpeg';
  #info: StreamInfo['audio'] = null;
  #decoder: SoundDecoder | null = null;

  constructor(options: TileSoundOptions) {
    this.#options = options;
  }

  /** Sound that can be had in the way in use. */
  get offered(): SoundInfo | null {
    if (this.#format === 'jpeg') return null;
    return this.#format === 'annexb' && !('AudioDecoder' in globalThis) ? null : this.#info;
  }

  want(on: boolean): void {
    this.#wanted = on;
    this.#asked = false;
    if (!on) this.#options.ask(false);
    this.#setUp();
  }

  /** A connection is made. @returns whether its query is to ask for sound. */
  connect(): boolean {
    this.#asked = this.#wanted;
    return this.#wanted;
  }

  /** Another format has been asked for: what was asked in the one before may have been refused. */
  switch(): void {
    this.#asked = false;
  }

  begin({ format, audio }: StreamInfo): void {
    this.#format = format;
    this.change(audio);
  }

  change(audio: StreamInfo['audio']): void {
    this.#info = audio;
    this.#setUp();
  }

  take(data: ArrayBuffer): void {
    this.#decoder?.take(data);
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = null;
    this.#info = null;
  }

  #setUp(): void {
    this.#decoder?.close();
    this.#decoder = null;
    const info = this.offered;
    if (!info || !this.#wanted) return;
    if (!this.#asked) {
      this.#asked = true;
      this.#options.ask(true);
    }
    if (info.sent && this.#format === 'annexb')
      this.#decoder = new SoundDecoder(info, this.#options.onSamples);
  }
}
