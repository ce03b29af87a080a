// What one viewer is shown of a camera: JPEG pictures, or the camera's own video, in the format it asked for, and its sound.
// Subscribes and passes on; which camera, and whether it is paused, is the session's.

import type { Clock } from '../base/clock.ts';
import { AppError } from '../errors.ts';
import type { Picture, VideoParameters } from '../media/access-unit.ts';
import type { AudioParameters } from '../media/audio.ts';
import { FrameRateLimiter } from '../media/frame-rate.ts';
import type { LiveCamera, PacketSetup, PassthroughFormat } from '../stream/live-camera.ts';
import { withSound } from '../stream/sound-packing.ts';
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
  /** Whether sound is wanted, in the formats that have it. */
  readonly audio: boolean;
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
  #leavePackets: (() => void) | null = null;
  #wantsSound: boolean;
  /** Among the packets. */
  #sound: AudioParameters | null = null;
  #leaveSound: (() => void) | null = null;

  constructor({ socket, clock, format, fps, audio, tell }: ShowingOptions) {
    this.#tell = tell;
    this.#format = format;
    this.#wantsSound = audio;
    this.#pictures = new Outbox(socket, clock, (picture) => tell.sent(picture));
    this.#packets = new PacketOutbox({
      socket,
      clock,
      onSetup: (setup) => this.#describe(setup),
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

  /**
   * With sound from now on, or without.
   * @param camera that the viewer watches, paused or not.
   * @throws AppError `audio_unavailable`: then all stays as it was.
   */
  setAudio(on: boolean, camera: LiveCamera | null): void {
    if (on) requireSound(this.#format, camera);
    this.#wantsSound = on;
    const shown = this.#camera;
    if (!shown || this.#format === 'jpeg') return;
    const before = this.#sound;
    if (on) this.#listen(shown, this.#format);
    else this.#stopListening();
    if (this.#sound !== before) this.#changeSound(shown, this.#format);
  }

  #showPictures(camera: LiveCamera): () => void {
    const leaveStream = camera.stream.subscribe({ onAudio: () => this.#tell.audio(camera, null) });
    const leave = camera.pictures.subscribe((picture) => {
      if (this.#limiter && !this.#limiter.take(picture.timestamp)) return;
      // Before the picture, since a player sets itself up by it.
      this.#tell.info(picture, camera);
      this.#pictures.offer(picture);
    });
    return () => {
      leaveStream();
      leave();
    };
  }

  #showPackets(camera: LiveCamera, format: PassthroughFormat): () => void {
    const leaveStream = camera.stream.subscribe({
      onVideo: (video) => {
        if (carries(video)) return;
        this.hide();
        this.#fallBack();
        this.show(camera);
      },
      onAudio: () => this.#tell.audio(camera, this.#sound),
    });
    if (this.#wantsSound) this.#listen(camera, format);
    this.#begin(camera, format);
    return () => {
      leaveStream();
      this.#stopListening();
      this.#leavePackets?.();
      this.#leavePackets = null;
    };
  }

  /** With the last keyframe and all since. */
  #begin(camera: LiveCamera, format: PassthroughFormat): void {
    const leaveBefore = this.#leavePackets;
    const { recent, leave } = camera.packets.subscribe(format, (packet) => this.#packets.offer(packet));
    this.#leavePackets = leave;
    // Afterwards, so that what is packed for others as well is not packed anew for this one.
    leaveBefore?.();
    this.#packets.begin(recent);
  }

  #describe(setup: PacketSetup): Uint8Array | null {
    const full = this.#sound ? withSound(setup, this.#sound) : setup;
    this.#tell.packets(full, this.#camera!, this.#sound);
    return full.init;
  }

  #listen(camera: LiveCamera, format: PassthroughFormat): void {
    if (this.#leaveSound) return;
    const { sound, leave } = camera.packets.subscribeSound(format, {
      onSound: (changed) => {
        this.#sound = changed;
        this.#changeSound(camera, format);
      },
      onPacket: (packet) => this.#packets.offerSound(packet),
    });
    this.#sound = sound;
    this.#leaveSound = leave;
  }

  #stopListening(): void {
    this.#leaveSound?.();
    this.#leaveSound = null;
    this.#sound = null;
  }

  /** `#sound` is another than before. */
  #changeSound(camera: LiveCamera, format: PassthroughFormat): void {
    this.#packets.forgetSound();
    // Which tracks there are stands in the initialisation segment.
    if (format === 'mp4') this.#begin(camera, format);
    else this.#tell.audio(camera, this.#sound);
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

function requireSound(format: Format, camera: LiveCamera | null): void {
  if (format === 'jpeg')
    throw silent('Pictures of the format jpeg come without sound; ask for annexb or mp4 first.');
  if (!camera || camera.audio.audio) return;
  const { unsupported } = camera.audio;
  throw silent(
    unsupported === null
      ? 'This camera sends no sound.'
      : `The sound of this camera is ${unsupported}, which cannot be played.`,
  );
}

function silent(sentence: string): AppError {
  return new AppError(400, 'audio_unavailable', sentence);
}

function carries({ codec }: VideoParameters): boolean {
  return codec !== 'mjpeg';
}

function unavailable(sentence: string): AppError {
  return new AppError(400, 'format_unavailable', sentence);
}
