// AAC of `annexb` messages into samples for the page, which alone can play them.
// What is wrong with the sound never touches the picture: then there is none.

import type { StreamInfo } from '../messages.ts';

export type SoundInfo = NonNullable<StreamInfo['audio']>;

const headerBytes = 16;
/** Units that the decoder has not begun; sound that comes so late is not worth hearing. */
const longestQueue = 25;

export type OnSamples = (channels: Float32Array<ArrayBuffer>[], sampleRate: number) => void;

export class SoundDecoder {
  readonly #onSamples: OnSamples;
  #decoder: AudioDecoder | null = null;

  constructor(info: SoundInfo, onSamples: OnSamples) {
    this.#onSamples = onSamples;
    void this.#begin({
      codec: info.codec,
      sampleRate: info.sample_rate,
      numberOfChannels: info.channels,
      description: Uint8Array.from(atob(info.config), (character) => character.charCodeAt(0)),
    });
  }

  /** A whole binary message. */
  take(data: ArrayBuffer): void {
    const decoder = this.#decoder;
    if (decoder?.state !== 'configured' || decoder.decodeQueueSize > longestQueue) return;
    const view = new DataView(data);
    const timestamp = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    decoder.decode(
      new EncodedAudioChunk({ type: 'key', timestamp, data: new Uint8Array(data, headerBytes) }),
    );
  }

  close(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    if (decoder && decoder.state !== 'closed') decoder.close();
  }

  async #begin(config: AudioDecoderConfig): Promise<void> {
    const decoder = new AudioDecoder({ output: (data) => this.#give(data), error: () => this.close() });
    this.#decoder = decoder;
    const { supported } = await AudioDecoder.isConfigSupported(config);
    if (supported && this.#decoder === decoder) decoder.configure(config);
  }

  #give(data: AudioData): void {
    const channels: Float32Array<ArrayBuffer>[] = [];
    for (let planeIndex = 0; planeIndex < data.numberOfChannels; planeIndex++) {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex, format: 'f32-planar' });
      channels.push(samples);
    }
    const { sampleRate } = data;
    data.close();
    this.#onSamples(channels, sampleRate);
  }
}
