// One camera's sound as the service sees it while a worker makes AAC of it: what may be sent, what came back.
// Where its worker runs is decided in pool.ts; who listens is audio-feed.ts's.

import { TokenBucket } from '../base/token-bucket.ts';
import type { AudioParameters, AudioUnit } from '../media/audio.ts';
import type { AudioPiece, ToWorker } from './messages.ts';
import { nothingUsed, type Usage } from './usage.ts';
import { type ChannelMessage, WorkerChannel, type WorkerChannelHandlers } from './worker-channel.ts';

export interface AudioChannelHandlers extends WorkerChannelHandlers {
  /** In order; the bytes are the receiver's. */
  onPieces(pieces: readonly AudioPiece[]): void;
}

/** Some seconds of sound: more waits only behind a worker that hangs. */
const maxInFlight = { units: 128, bytes: 1024 * 1024 };
const maxUnitBytes = 64 * 1024;
/** Opus at its shortest has 400 packets a second. */
const maxUnitsPerSecond = 500;
const maxUnitsAtOnce = 1000;

export class AudioChannel extends WorkerChannel {
  readonly audio: AudioParameters;
  readonly handlers: AudioChannelHandlers;
  readonly stats = { sent: 0, dropped: 0, errors: 0, restarts: 0, usage: nothingUsed as Usage };
  readonly #rate = new TokenBucket(maxUnitsPerSecond, maxUnitsAtOnce);

  constructor(
    id: number,
    audio: AudioParameters,
    handlers: AudioChannelHandlers,
    onClose: (channel: WorkerChannel) => void,
  ) {
    super(id, onClose);
    this.audio = audio;
    this.handlers = handlers;
  }

  /** @returns false when it was dropped: too large, too much, or no worker at the moment. */
  send({ data, timestamp, receivedAt }: AudioUnit): boolean {
    const room =
      !this.closed &&
      this.worker !== null &&
      data.length <= maxUnitBytes &&
      this.inFlight < maxInFlight.units &&
      this.bytesInFlight + data.length <= maxInFlight.bytes;
    if (!room || !this.#rate.take(receivedAt)) {
      this.stats.dropped += 1;
      return false;
    }
    this.stats.sent += 1;
    this.post({ type: 'sound', channel: this.id, data, timestamp, receivedAt }, data.length);
    return true;
  }

  receive(message: ChannelMessage): void {
    if (this.closed) return;
    if (message.type === 'begin') this.begun = true;
    else if (message.type === 'sound') {
      this.done(message.worked);
      if (message.pieces.length > 0) this.handlers.onPieces(message.pieces);
    } else if (message.type === 'trouble') {
      this.stats.errors += message.errors;
      this.handlers.onTrouble(message.message);
    }
  }

  protected opening(carefulFor: number): ToWorker {
    return { type: 'open-sound', channel: this.id, audio: this.audio, carefulFor };
  }
}
