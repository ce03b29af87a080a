// Holds the one connection to a camera: connects, watches, backs off, connects again; publishes into its Stream.
// What a state means and when to try again is decided in stream/status.ts; the protocol is rtsp's.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { CameraError } from '../errors.ts';
import type { AccessUnit } from '../media/access-unit.ts';
import type { AudioUnit } from '../media/audio.ts';
import { type CameraUrl, formatCameraUrl } from '../media/camera-url.ts';
import { Timeline } from '../media/timeline.ts';
import { type ResolveAddress, RtspClient } from '../rtsp/client.ts';
import { type CameraEvent, type CameraState, initialCameraState, nextCameraState } from '../stream/status.ts';
import type { Stream } from '../stream/stream.ts';
import { judgeProgress, nextUsualGap } from './watchdog.ts';

export interface SourceOptions {
  readonly stream: Stream;
  readonly address: CameraUrl;
  readonly resolve: ResolveAddress;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
  /** Called when the camera comes online, with the wall time. */
  readonly onOnline?: (wallTime: number) => void;
  /** Default true: sound is asked for as well. */
  readonly audio?: boolean;
}

export interface SourceFigures {
  readonly connects: number;
  readonly packets: number;
  readonly lostPackets: number;
  readonly transport: 'tcp' | 'udp' | null;
  readonly onlineSince: number | null;
}

const watchEveryMs = 250;
/** Without a unit for so long, sound has come to an end: players must not wait for it. */
const silenceMs = 3_000;

export class Source {
  readonly #options: SourceOptions;
  readonly #timeline = new Timeline();
  readonly #random: () => number;
  #address: CameraUrl;
  #state: CameraState = initialCameraState;
  #watched = false;
  /** Aborts the running attempt; every attempt has its own, so that a late result of an old one changes nothing. */
  #attempt: AbortController | null = null;
  #client: RtspClient | null = null;
  #cancelRetry: (() => void) | null = null;
  #cancelWatch: (() => void) | null = null;
  /** What `#connect` still does; it ends soon after an abort, when the camera was told. */
  #attempting: Promise<void> = Promise.resolve();
  /** Resolves when no connection of the past is left at the camera. */
  #closing: Promise<void> = Promise.resolve();
  #playingSince = 0;
  #usualGap = 0;
  #lastUnitAt: number | null = null;
  #sawKeyframe = false;
  #lastAudioAt: number | null = null;
  #lastAudioTimestamp = -1;
  /** The last session had sound and showed nothing: it may be the sound's fault, so the next one is without. */
  #audioSuspected = false;
  #connects = 0;
  #packetsBefore = 0;
  #lostBefore = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#address = options.address;
    this.#random = options.random ?? Math.random;
  }

  get state(): CameraState {
    return this.#state;
  }

  get figures(): SourceFigures {
    const stats = this.#client?.stats;
    return {
      connects: this.#connects,
      packets: this.#packetsBefore + (stats?.packets ?? 0),
      lostPackets: this.#lostBefore + (stats?.lostPackets ?? 0),
      transport: stats?.transport ?? null,
      onlineSince: this.#state.onlineSince,
    };
  }

  start(): void {
    this.#apply({ type: 'start' });
  }

  /** Disconnects; resolves when the camera was told (TEARDOWN) or after a bounded wait. */
  async stop(): Promise<void> {
    this.#disconnect();
    this.#apply({ type: 'stop' });
    await this.#closing;
  }

  /** A new address or password is tried at once; the old connection ends. */
  setAddress(address: CameraUrl): void {
    this.#address = address;
    this.#disconnect();
    this.#apply({ type: 'address_changed' });
  }

  /** Whether anybody wants the pictures now: a watched camera is tried more often. */
  setWatched(watched: boolean): void {
    if (watched === this.#watched) return;
    this.#watched = watched;
    this.#apply({ type: 'watched', watched });
  }

  #apply(event: CameraEvent): void {
    const before = this.#state;
    this.#state = nextCameraState(before, event, {
      now: this.#options.clock.now(),
      watched: this.#watched,
      random: this.#random,
    });
    const { status, message, retryAt } = this.#state;
    this.#options.stream.setStatus(status, message);
    if (status !== before.status || message !== before.message) this.#tell(before);
    if (retryAt !== before.retryAt) this.#plan(retryAt);
  }

  #tell(before: CameraState): void {
    const { status, message, code } = this.#state;
    const camera = formatCameraUrl(this.#address, 'mask');
    if (status === 'online' && before.status !== 'online') {
      this.#options.log.info({ camera }, 'camera online');
      this.#options.onOnline?.(this.#options.clock.wallTime());
    } else if (status === 'error' || (status === 'reconnecting' && before.status === 'online')) {
      this.#options.log.warn({ camera, code }, `camera ${status}: ${message}`);
    }
  }

  #plan(retryAt: number | null): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    if (retryAt === null) return;
    const wait = Math.max(0, retryAt - this.#options.clock.now());
    this.#cancelRetry = this.#options.clock.after(wait, () => {
      this.#apply({ type: 'attempt' });
      this.#attempting = this.#connect();
    });
  }

  async #connect(): Promise<void> {
    this.#disconnect();
    const attempt = new AbortController();
    this.#attempt = attempt;
    // The camera may allow few sessions: the old one is torn down before a new one is asked for.
    await this.#closing;
    if (attempt.signal.aborted) return;
    this.#beginSession();
    try {
      const client = await RtspClient.connect({
        url: this.#address,
        resolve: this.#options.resolve,
        signal: attempt.signal,
        audio: this.#options.audio !== false && !this.#audioSuspected,
        events: {
          onVideo: (video) => {
            if (!attempt.signal.aborted) this.#options.stream.setVideo(video);
          },
          onAccessUnit: (unit) => {
            if (!attempt.signal.aborted) this.#publish(unit);
          },
          onAudio: (offer) => {
            if (!attempt.signal.aborted) this.#options.stream.setAudio(offer);
          },
          onAudioUnit: (unit) => {
            if (!attempt.signal.aborted) this.#publishAudio(unit);
          },
        },
      });
      if (attempt.signal.aborted) {
        await client.close();
        return;
      }
      this.#run(client, attempt.signal);
    } catch (error) {
      if (!attempt.signal.aborted) this.#fail(error);
    }
  }

  #beginSession(): void {
    this.#timeline.newSession();
    this.#connects += 1;
    this.#sawKeyframe = false;
    this.#lastUnitAt = null;
    this.#lastAudioAt = null;
    this.#usualGap = 0;
  }

  #run(client: RtspClient, signal: AbortSignal): void {
    this.#client = client;
    this.#playingSince = this.#options.clock.now();
    if (this.#state.status !== 'online') this.#apply({ type: 'playing' });
    this.#watch(client);
    void client.closed.then((reason) => {
      if (!signal.aborted) this.#fail(reason ?? new CameraError('connection_lost'));
    });
  }

  #watch(client: RtspClient): void {
    this.#cancelWatch = this.#options.clock.after(watchEveryMs, () => {
      const wrong = judgeProgress({
        now: this.#options.clock.now(),
        playingSince: this.#playingSince,
        lastPacketAt: client.stats.lastPacketAt,
        lastUnitAt: this.#lastUnitAt,
        sawKeyframe: this.#sawKeyframe,
        usualGap: this.#usualGap,
      });
      if (wrong) this.#fail(new CameraError(wrong));
      else this.#watch(client);
    });
  }

  #publish(unit: AccessUnit): void {
    if (this.#lastUnitAt !== null)
      this.#usualGap = nextUsualGap(this.#usualGap, unit.receivedAt - this.#lastUnitAt);
    this.#lastUnitAt = unit.receivedAt;
    if (unit.keyframe && !this.#sawKeyframe) {
      this.#sawKeyframe = true;
      this.#apply({ type: 'keyframe' });
    }
    // What depends on a keyframe of another session, or of another camera, would be decoded onto that one's picture.
    if (!this.#sawKeyframe) return;
    this.#options.stream.publish({ ...unit, timestamp: this.#timeline.map(unit.timestamp, unit.receivedAt) });
    this.#noticeSilence(unit.receivedAt);
  }

  /** On the video's timeline; what comes before its first keyframe, or would be heard twice, is left out. */
  #publishAudio(unit: AudioUnit): void {
    if (!this.#sawKeyframe) return;
    const timestamp = this.#timeline.project(unit.timestamp);
    if (timestamp === null || timestamp <= this.#lastAudioTimestamp) return;
    this.#lastAudioTimestamp = timestamp;
    this.#lastAudioAt = unit.receivedAt;
    const { stream } = this.#options;
    if (stream.audio !== unit.audio) stream.setAudio({ kind: 'audio', audio: unit.audio });
    stream.publishAudio({ ...unit, timestamp });
  }

  /** After a reconnect the sound of before has as long to come back. */
  #noticeSilence(now: number): void {
    this.#lastAudioAt ??= now;
    const { stream } = this.#options;
    if (stream.audio && now - this.#lastAudioAt > silenceMs) stream.setAudio({ kind: 'none' });
  }

  #fail(error: unknown): void {
    this.#audioSuspected = !this.#sawKeyframe && (this.#client?.stats.audio ?? null) !== null;
    this.#disconnect();
    const failure =
      error instanceof CameraError
        ? error
        : new CameraError('protocol', error instanceof Error ? error.message : undefined);
    if (!(error instanceof CameraError))
      this.#options.log.error({ err: error }, 'unexpected error of a camera');
    this.#options.log.debug(
      { camera: formatCameraUrl(this.#address, 'mask'), code: failure.code },
      failure.message,
    );
    this.#apply({
      type: 'failed',
      failure: { code: failure.code, message: failure.message, needsPerson: failure.needsPerson },
    });
  }

  #disconnect(): void {
    this.#attempt?.abort();
    this.#attempt = null;
    this.#cancelWatch?.();
    this.#cancelWatch = null;
    const client = this.#client;
    this.#client = null;
    if (client) {
      this.#packetsBefore += client.stats.packets;
      this.#lostBefore += client.stats.lostPackets;
    }
    this.#closing = settled(this.#closing, this.#attempting, client?.close());
  }
}

async function settled(...promises: readonly (Promise<void> | undefined)[]): Promise<void> {
  await Promise.all(promises);
}
