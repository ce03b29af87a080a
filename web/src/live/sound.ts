// Plays decoded sound a moment after it has come, so that pieces which come unevenly are heard evenly.
// Decoding is the engine's; MP4 brings its sound within the video element.

/** Between a piece's coming and its being heard, s: what unevenness may be. */
const cushionS = 0.12;
/** More than this waiting is delay that nobody wants, s. */
const mostS = 0.5;

export class Sound {
  readonly #context: AudioContext;
  #nextAt = 0;

  /** Browsers let it be heard only after the reader has done something on the page. */
  constructor(sampleRate: number) {
    this.#context = new AudioContext({ sampleRate, latencyHint: 'interactive' });
  }

  get sampleRate(): number {
    return this.#context.sampleRate;
  }

  /** @param channels samples of each, of the same length. */
  push(channels: readonly Float32Array<ArrayBuffer>[], sampleRate: number): void {
    const [first] = channels;
    const context = this.#context;
    if (!first || context.state !== 'running') return;
    const now = context.currentTime;
    if (this.#nextAt < now) this.#nextAt = now + cushionS;
    if (this.#nextAt - now > mostS) return;
    const buffer = context.createBuffer(channels.length, first.length, sampleRate);
    for (const [i, samples] of channels.entries()) buffer.copyToChannel(samples, i);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.start(this.#nextAt);
    this.#nextAt += buffer.duration;
  }

  /** At a click or a key: browsers ask for one. */
  resume(): void {
    // Refused without one; it is asked again at the next.
    this.#context.resume().catch(() => this.#context.state);
  }

  close(): void {
    this.#context.close().catch(() => this.#context.state);
  }
}
