// Sound of one stream for any number of listeners: AAC as it is, anything else made into AAC once for all of them.
// Works only while somebody listens; knows nothing of viewers or sockets.

import { aacOf, madeUnit } from '../media/aac.ts';
import type { AudioParameters, AudioUnit } from '../media/audio.ts';
import type { AudioFigures, AudioListener, AudioSource } from '../stream/audio-source.ts';
import type { Stream } from '../stream/stream.ts';
import type { AudioPiece } from './messages.ts';
import type { AudioChannel, CodecPool } from './pool.ts';
import { nothingUsed, type Usage } from './usage.ts';

export interface AudioFeedOptions {
  readonly stream: Stream;
  readonly pool: CodecPool;
  readonly onTrouble?: (message: string) => void;
}

export class AudioFeed implements AudioSource {
  readonly #options: AudioFeedOptions;
  readonly #listeners = new Set<AudioListener>();
  #unsubscribe: (() => void) | null = null;
  #channel: AudioChannel | null = null;
  /** The camera's, and what listeners get of it: the same object for as long. */
  #source: AudioParameters | null = null;
  #given: AudioParameters | null = null;
  #units = 0;
  /** Of channels that are gone. */
  #past = { dropped: 0, errors: 0 };

  constructor(options: AudioFeedOptions) {
    this.#options = options;
  }

  get audio(): AudioParameters | null {
    const source = this.#options.stream.audio;
    if (source !== this.#source) {
      this.#source = source;
      this.#given = source && (source.codec === 'aac' ? source : aacOf(source));
    }
    return this.#given;
  }

  get unsupported(): string | null {
    return this.#options.stream.unsupportedAudio;
  }

  get figures(): AudioFigures {
    const stats = this.#channel?.stats;
    return {
      listeners: this.#listeners.size,
      units: this.#units,
      dropped: this.#past.dropped + (stats?.dropped ?? 0),
      errors: this.#past.errors + (stats?.errors ?? 0),
      transcoding: this.#channel !== null,
    };
  }

  /** Its part of what the codec worker costs; see usage.ts. */
  get usage(): Usage {
    return this.#channel?.stats.usage ?? nothingUsed;
  }

  subscribe(listener: AudioListener): () => void {
    // One of its own, so that the same listener may come twice.
    const own = bound(listener);
    this.#listeners.add(own);
    const { audio } = this;
    if (this.#unsubscribe === null) this.#begin();
    if (audio) own.onAudio(audio);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.close();
    };
  }

  /** Gives nothing more, whoever still listens. */
  close(): void {
    this.#listeners.clear();
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#endChannel();
  }

  #begin(): void {
    const { stream } = this.#options;
    this.#unsubscribe = stream.subscribe({
      onAudio: () => this.#change(),
      onAudioUnit: (unit) => this.#take(unit),
    });
    this.#open();
  }

  #change(): void {
    const { audio } = this;
    this.#endChannel();
    this.#open();
    this.#each((listener) => listener.onAudio(audio));
  }

  #open(): void {
    const { stream, pool, onTrouble } = this.#options;
    const source = stream.audio;
    if (!source || source.codec === 'aac') return;
    this.#channel = pool.openAudio(source, {
      onPieces: (pieces) => this.#give(pieces),
      onTrouble: (message) => onTrouble?.(message),
      // There is nothing to catch up on: sound goes on with the next unit.
      onReset: () => undefined,
    });
  }

  #take(unit: AudioUnit): void {
    if (this.#channel) this.#channel.send(unit);
    else if (unit.audio.codec === 'aac') this.#tell(unit);
  }

  #give(pieces: readonly AudioPiece[]): void {
    const { audio } = this;
    if (!audio) return;
    for (const piece of pieces) this.#tell({ ...piece, audio, duration: madeUnit.duration });
  }

  #tell(unit: AudioUnit): void {
    this.#units += 1;
    this.#each((listener) => listener.onAudioUnit(unit));
  }

  #each(call: (listener: AudioListener) => void): void {
    for (const listener of this.#listeners) this.#options.stream.guard(() => call(listener));
  }

  #endChannel(): void {
    if (!this.#channel) return;
    this.#past.dropped += this.#channel.stats.dropped;
    this.#past.errors += this.#channel.stats.errors;
    this.#channel.close();
    this.#channel = null;
  }
}

function bound(listener: AudioListener): AudioListener {
  return {
    onAudio: (audio) => listener.onAudio(audio),
    onAudioUnit: (unit) => listener.onAudioUnit(unit),
  };
}
