// What one viewer is shown of a camera: JPEG pictures, or the camera's own video, in the format it asked for.
// Subscribes and passes on; which camera, and whether it is paused, is the session's.

import type { Clock } from '../base/clock.ts';
import { AppError } from '../errors.ts';
import type { Picture, VideoParameters } from '../media/access-unit.ts';
import { FrameRateLimiter } from '../media/frame-rate.ts';
import type { LiveCamera, PassthroughFormat } from '../stream/live-camera.ts';
import type { Announcer } from './announcer.ts';
import { Outbox, type OutboxSocket } from './outbox.ts';
import { PacketOutbox } from './packet-outbox.ts';
import { type Format, formats, isFormat } from './protocol.ts';

export interface ShowingOptions {
  readonly socket: OutboxSocket;
  readonly clock: Clock;
  readonly format: Format;
  /** JPEG view: at most so many pictures a second; null for as many as are made. */
  readonly fps: number | null;
  readonly tell: Announcer;
}

export class Showing {
  readonly #tell: Announcer;
  readonly #pictures: Outbox<Picture>;
  readonly #packets: PacketOutbox;
  readonly #limiter: FrameRateLimiter | null;
  #format: Format;
  #camera: LiveCamera | null = null;
  #leave: (() => void) | null = null;

  constructor({ socket, clock, format, fps, tell }: ShowingOptions) {
    this.#tell = tell;
    this.#format = format;
    this.#pictures = new Outbox(socket, clock, (picture) => tell.sent(picture));
    this.#packets = new PacketOutbox({
      socket,
      clock,
      onSetup: (setup) => tell.packets(setup),
      onSent: (packet, live) => tell.sent(packet, live),
    });
    this.#limiter = fps === null ? null : new FrameRateLimiter(fps);
  }

  /** Pictures and frames that the viewer was too slow for. */
  get dropped(): number {
    return this.#pictures.dropped + this.#packets.dropped;
  }

  /** Whether the viewer sees what the camera sees now. */
  get live(): boolean {
    if (!this.#leave) return false;
    return !(this.#format === 'jpeg' ? this.#pictures : this.#packets).lagging;
  }

  /** How long the oldest unanswered ping has waited, ms; 0 when none is out. */
  unansweredMs(): number {
    return this.#pictures.unansweredMs();
  }

  /** Asks the viewer for a sign of life. */
  probe(): void {
    this.#pictures.probe();
  }

  onPong(payload: Uint8Array): void {
    this.#pictures.onPong(payload);
    this.#packets.onPong(payload);
  }

  /** Nothing changes when this camera is shown already. */
  show(camera: LiveCamera): void {
    if (this.#leave && this.#camera === camera) return;
    this.hide();
    this.#camera = camera;
    const { video } = camera.stream;
    if (this.#format !== 'jpeg' && video && !carries(video)) this.#fallBack();
    this.#leave =
      this.#format === 'jpeg' ? this.#showPictures(camera) : this.#showPackets(camera, this.#format);
  }

  hide(): void {
    this.#leave?.();
    this.#leave = null;
    this.#camera = null;
    this.#pictures.clear();
    this.#packets.clear();
    this.#tell.reset();
  }

  /**
   * From now on in this format; in the one that is shown already, it begins anew, with a keyframe.
   * @param camera that the viewer watches, paused or not.
   * @throws AppError `format_unavailable`: then all stays as it was.
   */
  setFormat(name: string, camera: LiveCamera | null): void {
    if (!isFormat(name)) throw unavailable(noSuchFormat(name));
    if (name !== 'jpeg') requireCarried(camera?.stream.video ?? null);
    this.#format = name;
    const shown = this.#camera;
    if (!shown) return;
    this.hide();
    this.show(shown);
  }

  #showPictures(camera: LiveCamera): () => void {
    return camera.pictures.subscribe((picture) => {
      if (this.#limiter && !this.#limiter.take(picture.timestamp)) return;
      // Before the picture, since a player sets itself up by it.
      this.#tell.info(picture, camera);
      this.#pictures.offer(picture);
    });
  }

  #showPackets(camera: LiveCamera, format: PassthroughFormat): () => void {
    const leaveStream = camera.stream.subscribe({
      onVideo: (video) => {
        if (carries(video)) return;
        this.hide();
        this.#fallBack();
        this.show(camera);
      },
    });
    const { recent, leave } = camera.packets.subscribe(format, (packet) => this.#packets.offer(packet));
    this.#packets.begin(recent);
    return () => {
      leaveStream();
      leave();
    };
  }

  #fallBack(): void {
    this.#format = 'jpeg';
    this.#tell.error('format_unavailable', jpegOnly);
  }
}

const jpegOnly =
  'This camera sends JPEG pictures (MJPEG), not H.264 or H.265: they are shown in format jpeg.';

export function noSuchFormat(name: string): string {
  return `There is no format "${name.slice(0, 20)}"; known are ${formats.join(', ')}.`;
}

function requireCarried(video: VideoParameters | null): void {
  if (!video)
    throw unavailable('What this camera sends is not known yet; ask for this format when it is online.');
  if (!carries(video)) throw unavailable(jpegOnly);
}

function carries({ codec }: VideoParameters): boolean {
  return codec !== 'mjpeg';
}

function unavailable(sentence: string): AppError {
  return new AppError(400, 'format_unavailable', sentence);
}
