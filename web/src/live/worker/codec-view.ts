// H.264 and H.265 by WebCodecs onto the screen: each frame as soon as it is decoded, nothing is held back.
// Reads the header of `annexb` messages; when to give up for good is the tile's decision.

import type { StreamInfo } from '../messages.ts';
import type { Screen } from './screen.ts';
import type { View, ViewListener } from './view.ts';

/** u8 kind · u8 flags · u16 0 · u32 sequence · u64 timestamp in µs, big-endian, then the access unit. */
const headerBytes = 16;
const videoKind = 1;
const keyframeFlag = 1;
/** Access units that the decoder has not begun; more are a second or so of delay, so it goes on at a keyframe. */
const longestQueue = 20;
/** While the start is made up for, more may wait: what came before the viewer did is decoded at once. */
const longestStart = 2_000;
/** It has to have caught up after this, ms. */
const startMs = 3_000;
/** Frames are skipped while others wait, but a start is shown as it goes, ms. */
const longestSkipMs = 150;
/** Falling behind so often within the time means that this machine cannot follow. */
const mostOverloads = 3;
const overloadWindowMs = 30_000;

export class CodecView implements View {
  readonly #screen: Screen;
  readonly #listener: ViewListener;
  readonly #config: VideoDecoderConfig;
  #decoder: VideoDecoder | null = null;
  /** What came while the browser was asked whether it can. */
  #early: { readonly data: ArrayBuffer; readonly now: number }[] | null = [];
  #needsKeyframe = true;
  readonly #arrivals = new Map<number, number>();
  readonly #overloads: number[] = [];
  readonly #startedAt = performance.now();
  #drawnAt = 0;
  #closed = false;
  dropped = 0;
  unshownSince: number | null = null;

  constructor({ codec }: StreamInfo, screen: Screen, listener: ViewListener) {
    this.#screen = screen;
    this.#listener = listener;
    // Without a description, access units are Annex B; without a size, it is the one in the video.
    this.#config = { codec, optimizeForLatency: true, hardwareAcceleration: 'no-preference' };
    void this.#begin();
  }

  take(data: ArrayBuffer, now: number): void {
    if (this.#early) {
      // A browser that never answers is given up as one that shows nothing.
      this.unshownSince ??= now;
      if (this.#early.length < longestStart) this.#early.push({ data, now });
      return;
    }
    if (data.byteLength <= headerBytes) return;
    const view = new DataView(data);
    if (view.getUint8(0) !== videoKind) return;
    const keyframe = (view.getUint8(1) & keyframeFlag) !== 0;
    const timestamp = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    this.#decode(new Uint8Array(data, headerBytes), keyframe, timestamp, now);
  }

  close(): void {
    this.#closed = true;
    this.#early = [];
    const decoder = this.#decoder;
    this.#decoder = null;
    if (decoder && decoder.state !== 'closed') decoder.close();
  }

  async #begin(): Promise<void> {
    const supported = await isSupported(this.#config);
    const early = this.#early;
    // Closed meanwhile: a decoder would never be closed again, and a refusal would be taken for that of what is played now.
    if (early === null || this.#closed) return;
    if (!supported) {
      this.#listener.onFail('unsupported');
      return;
    }
    const decoder = new VideoDecoder({
      output: (frame) => this.#show(frame),
      error: () => {
        if (decoder === this.#decoder) this.#listener.onLost();
      },
    });
    decoder.configure(this.#config);
    this.#decoder = decoder;
    this.#early = null;
    for (const { data, now } of early) this.take(data, now);
  }

  #decode(data: Uint8Array, keyframe: boolean, timestamp: number, now: number): void {
    const decoder = this.#decoder;
    if (decoder?.state !== 'configured') return;
    const starting = now - this.#startedAt < startMs;
    if (!starting && decoder.decodeQueueSize > longestQueue) this.#overload(now);
    // That may have been once too often.
    if (this.#closed) return;
    // Only once the queue is done: what waits would be seen late.
    if (this.#needsKeyframe && keyframe && decoder.decodeQueueSize <= longestQueue / 2)
      this.#needsKeyframe = false;
    if (this.#needsKeyframe) {
      this.dropped += 1;
      return;
    }
    this.unshownSince ??= now;
    if (this.#arrivals.size > longestStart) this.#arrivals.clear();
    this.#arrivals.set(timestamp, now);
    try {
      decoder.decode(new EncodedVideoChunk({ type: keyframe ? 'key' : 'delta', timestamp, data }));
    } catch (error) {
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
      this.#listener.onLost();
    }
  }

  #overload(now: number): void {
    if (this.#needsKeyframe) return;
    this.#needsKeyframe = true;
    this.#overloads.push(now);
    while (this.#overloads[0]! < now - overloadWindowMs) this.#overloads.shift();
    if (this.#overloads.length >= mostOverloads) this.#listener.onFail('slow');
  }

  #show(frame: VideoFrame): void {
    const now = performance.now();
    const { timestamp } = frame;
    const arrivedAt = this.#arrivals.get(timestamp) ?? now;
    this.#arrivals.delete(timestamp);
    this.unshownSince = null;
    // Frames that others are close behind would be seen by nobody.
    const waiting = this.#decoder?.decodeQueueSize ?? 0;
    if (waiting < 2 || now - this.#drawnAt > longestSkipMs) {
      this.#drawnAt = now;
      this.#screen.draw(frame, frame.displayWidth, frame.displayHeight, arrivedAt);
      this.#listener.onShown(timestamp);
    }
    frame.close();
  }
}

async function isSupported(config: VideoDecoderConfig): Promise<boolean> {
  try {
    return (await VideoDecoder.isConfigSupported(config)).supported === true;
  } catch (error) {
    // A codec string that it does not even know.
    if (error instanceof TypeError || error instanceof DOMException) return false;
    throw error;
  }
}
