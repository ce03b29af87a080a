// What one viewer is told beside its pictures: status, what they are, figures, faces, errors.
// Composes and sends messages; when to tell what, and about which camera, is the session's.

import type { Clock } from '../base/clock.ts';
import type { Picture } from '../media/access-unit.ts';
import type { AudioParameters } from '../media/audio.ts';
import { RateMeter } from '../media/rate-meter.ts';
import type { LiveCamera, PacketSetup, SeenFace, UnsureFace } from '../stream/live-camera.ts';
import { type AudioMembers, audioMembers, type ServerMessage, statusMessage } from './protocol.ts';

/** Weight of the newest picture in the delay that viewers are told. */
const newestWeight = 0.1;

export class Announcer {
  readonly #clock: Clock;
  readonly #details: boolean;
  readonly #send: (message: ServerMessage) => void;
  readonly #sentRate = new RateMeter();
  /** Moving average, ms. */
  #latency = 0;
  #toldSize: { readonly width: number; readonly height: number } | null = null;
  /** As the viewer was told; null before it was told anything. */
  #toldAudio: string | null = null;
  #facesShown = false;

  /** @param details whether cameras' own words may be told. */
  constructor(clock: Clock, details: boolean, send: (message: ServerMessage) => void) {
    this.#clock = clock;
    this.#details = details;
    this.#send = send;
  }

  /** Another camera: what was told of the one before counts no more. */
  reset(): void {
    this.#toldSize = null;
    this.#toldAudio = null;
  }

  /**
   * A picture or packet was handed to the viewer's socket.
   * @param live false for one that was late already when the viewer joined.
   */
  sent({ receivedAt }: Pick<Picture, 'receivedAt'>, live = true): void {
    const now = this.#clock.now();
    this.#sentRate.count(now);
    if (!live) return;
    const latency = now - receivedAt;
    this.#latency = this.#latency === 0 ? latency : this.#latency + (latency - this.#latency) * newestWeight;
  }

  /** What pictures the viewer gets, when that is news. */
  info({ width, height }: Picture, camera: LiveCamera): void {
    if (this.#toldSize?.width === width && this.#toldSize.height === height) return;
    this.#toldSize = { width, height };
    const { video } = camera.stream;
    this.#send({
      type: 'stream_info',
      format: 'jpeg',
      codec: 'jpeg',
      mime: 'image/jpeg',
      width,
      height,
      fps: video?.fps ?? null,
      source: video && { codec: video.codecString, width: video.width, height: video.height },
      ...this.#audioOf(camera, null),
    });
  }

  /** What packets the viewer gets from here on. @param sound among them. */
  packets(
    { format, codec, mime, width, height, fps }: PacketSetup,
    camera: LiveCamera,
    sound: AudioParameters | null,
  ): void {
    this.#toldSize = null;
    const source = { codec, width, height };
    const audio = this.#audioOf(camera, sound);
    this.#send({ type: 'stream_info', format, codec, mime, width, height, fps, source, ...audio });
  }

  /** What there is to be heard, when that is news to a viewer who was told what it sees. */
  audio(camera: LiveCamera, sound: AudioParameters | null): void {
    const told = this.#toldAudio;
    if (told === null) return;
    const members = this.#audioOf(camera, sound);
    if (this.#toldAudio !== told) this.#send({ type: 'audio', ...members });
  }

  /** @param camera null: the viewer watches none. @param note said instead of the stream's own message. */
  status(camera: LiveCamera | null, note?: string): void {
    if (camera) this.#send(statusMessage(camera, this.#details, note));
    else this.#send({ type: 'status', status: 'offline', message: note ?? 'Stopped for this viewer.' });
  }

  /** @param visible false when the viewer does not see the picture that these belong to; it is only told of their end. */
  faces(timestamp: number, faces: readonly SeenFace[], below: readonly UnsureFace[], visible: boolean): void {
    const shown = faces.length + below.length > 0;
    if (shown ? !visible : !this.#facesShown) return;
    this.#facesShown = shown;
    this.#send({ type: 'detections', timestamp, faces, ...(below.length > 0 && { below }) });
  }

  stats({ pictures, figures, stream, viewers }: LiveCamera, dropped: number): void {
    this.#send({
      type: 'performance_stats',
      stats: {
        current_fps: round(this.#sentRate.perSecond(this.#clock.now())),
        avg_processing_time: round(pictures.figures.processingTime),
        avg_detection_time: round(figures.detectionTime),
        total_frames: stream.totals.units,
        total_detections: figures.detections,
        uptime: round(figures.uptime),
      },
      detection: figures.detection,
      viewers,
      latency_ms: round(this.#latency),
      dropped_frames: dropped,
    });
  }

  #audioOf({ audio }: LiveCamera, sound: AudioParameters | null): AudioMembers {
    const members = audioMembers(audio, sound);
    this.#toldAudio = JSON.stringify(members);
    return members;
  }

  error(code: string, error: string): void {
    this.#send({ type: 'error', error, code });
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
