// What a player puts into its host: the canvas that the engine draws on, the video element of MSE, the boxes over both.
// Which of them is seen follows the engine's reports; connections and words are the player's.

import { BoxLayer } from './box-layer.ts';
import { FaceMemory } from './boxes.ts';
import type { DetectionsMessage, Report, Room, SinkNews } from './messages.ts';
import { MseSink } from './mse-sink.ts';

export type Fit = 'contain' | 'cover';

/** A frame is on the screen for about so long before its faces are known, µs. */
const detectionLagUs = 80_000;

export interface StageOptions {
  readonly fit: Fit;
  readonly boxes: boolean;
  readonly onSink: (news: SinkNews) => void;
  /** What the video element showed last, before it starts anew. */
  readonly onStill: (bitmap: ImageBitmap) => void;
  /** The place has another size, or is filled in another way. */
  readonly onRoom: (room: Room) => void;
}

export class Stage {
  readonly #host: HTMLElement;
  readonly #options: StageOptions;
  readonly #canvas = document.createElement('canvas');
  readonly #boxes = new BoxLayer();
  readonly #faces = new FaceMemory();
  readonly #resize = new ResizeObserver(() => this.#resized());
  #video: HTMLVideoElement | null = null;
  #sink: MseSink | null = null;
  #size: Report['size'] = null;
  #showsVideo = false;
  #newestFacesAt = 0;
  #showsBoxes: boolean;
  #fitting: Fit;
  #muted = true;

  /** @param host takes on `position: relative` if it has none. */
  constructor(host: HTMLElement, options: StageOptions) {
    this.#host = host;
    this.#options = options;
    this.#showsBoxes = options.boxes;
    this.#fitting = options.fit;
    if (getComputedStyle(host).position === 'static') host.style.position = 'relative';
    this.#layOut(this.#canvas);
    host.append(this.#canvas, this.#boxes.element);
    this.#resize.observe(host);
  }

  /** For the engine to draw on; once. */
  giveCanvas(): OffscreenCanvas {
    return this.#canvas.transferControlToOffscreen();
  }

  follow({ showing, size, fresh, link }: Report): void {
    this.#showsVideo = showing === 'mse';
    if (this.#video) this.#video.style.visibility = this.#showsVideo ? 'visible' : 'hidden';
    this.#size = size;
    this.#layBoxes();
    if (!fresh) this.#boxes.show([]);
    if (link.state !== 'open') this.#faces.clear();
  }

  addFaces(message: DetectionsMessage): void {
    this.#faces.add(message);
    this.#newestFacesAt = performance.now();
  }

  /**
   * A picture is on the screen: its boxes follow.
   * @param timestamp its media time, µs; null where it has none: then it is about as old as it usually is.
   */
  drawn(timestamp: number | null): void {
    const { newest } = this.#faces;
    if (!this.#showsBoxes || newest === null) return;
    const guess = newest + (performance.now() - this.#newestFacesAt) * 1000 + detectionLagUs;
    this.#boxes.show(this.#faces.at(timestamp ?? guess));
  }

  startMp4(mime: string): void {
    this.#sink ??= this.#makeSink();
    this.#sink.start(mime);
  }

  push(fragment: ArrayBuffer): void {
    this.#sink?.push(fragment);
  }

  /** The element goes black; what it showed is handed out before. */
  endMp4(): void {
    const video = this.#video;
    // Taken within this call, given when it is ready.
    if (video && this.#showsVideo && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA)
      // Without one there is nothing to keep: the element has lost its picture already.
      createImageBitmap(video).then(this.#options.onStill, () => null);
    this.#sink?.stop();
  }

  setBoxes(boxes: boolean): void {
    this.#showsBoxes = boxes;
    if (!boxes) this.#boxes.show([]);
  }

  setFit(fit: Fit): void {
    this.#fitting = fit;
    for (const element of [this.#canvas, this.#video]) if (element) element.style.objectFit = fit;
    this.#resized();
  }

  /** Of the sound within MP4. */
  setMuted(muted: boolean): void {
    this.#muted = muted;
    if (this.#video) this.#video.muted = muted;
  }

  destroy(): void {
    this.#resize.disconnect();
    this.#sink?.stop();
    for (const element of [this.#canvas, this.#video, this.#boxes.element]) element?.remove();
  }

  #makeSink(): MseSink {
    const video = document.createElement('video');
    Object.assign(video, { muted: this.#muted, playsInline: true, disableRemotePlayback: true });
    video.setAttribute('disablepictureinpicture', '');
    video.style.visibility = 'hidden';
    this.#layOut(video);
    this.#canvas.after(video);
    this.#video = video;
    const onFrame = (timestamp: number) => this.drawn(timestamp);
    return new MseSink({ video, onNews: this.#options.onSink, onFrame });
  }

  #layOut(element: HTMLElement): void {
    element.setAttribute('aria-hidden', 'true');
    Object.assign(element.style, {
      position: 'absolute',
      inset: '0',
      width: '100%',
      height: '100%',
      objectFit: this.#fitting,
      pointerEvents: 'none',
    });
  }

  #resized(): void {
    const { clientWidth, clientHeight } = this.#host;
    // Without a place there is nothing to learn: what is known stays.
    if (clientWidth === 0 || clientHeight === 0) return;
    const [width, height] = [clientWidth * devicePixelRatio, clientHeight * devicePixelRatio];
    this.#options.onRoom({ width, height, cover: this.#fitting === 'cover' });
    this.#layBoxes();
  }

  #layBoxes(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (this.#size) this.#boxes.layOver({ width, height }, this.#size, this.#fitting === 'cover');
  }
}
