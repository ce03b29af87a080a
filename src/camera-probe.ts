// Connects once to a camera, watches what it sends and has one picture made of it: for the doctor and for trying a camera.
// Measuring only; what it means for people is in camera-advice.ts.

import type { ChannelOptions } from './codec/messages.ts';
import type { CodecChannel, CodecPool } from './codec/pool.ts';
import { CameraError } from './errors.ts';
import type { AccessUnit, Picture, VideoParameters } from './media/access-unit.ts';
import type { AudioOffer } from './media/audio.ts';
import type { CameraUrl } from './media/camera-url.ts';
import { type ResolveAddress, RtspClient } from './rtsp/client.ts';
import { type TallyFigures, VideoTally } from './video-tally.ts';

/** What has come so far. */
export interface Progress {
  /** ms since the camera accepted PLAY. */
  readonly watched: number;
  readonly units: number;
  readonly keyframes: number;
  readonly hasPicture: boolean;
}

export interface ProbeOptions {
  readonly url: CameraUrl;
  readonly resolve: ResolveAddress;
  /** Decodes the picture. */
  readonly pool: CodecPool;
  readonly channel: ChannelOptions;
  /** Asked several times a second. The camera is left once it says so, or ends the connection itself. */
  readonly enough: (progress: Progress) => boolean;
  /** Up to PLAY, transports and redirects tried included, ms. Default: the client's own limits. */
  readonly connectWithin?: number;
  /** Ends it at once, with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** What can be told of a camera's video, whoever connected to it. */
export interface Findings extends TallyFigures {
  readonly transport: 'tcp' | 'udp' | null;
  readonly video: VideoParameters;
  /** Null when the camera told nothing of it while it was watched. */
  readonly audio: AudioOffer | null;
  readonly lostPackets: number;
  /** ms from the beginning; null when no picture could be made. */
  readonly firstPicture: number | null;
  readonly picture: Picture | null;
  /** Part of a sentence. */
  readonly decoderTrouble: string | null;
  /** Why the camera ended the connection, if it did. */
  readonly ended: CameraError | null;
}

export interface Observation extends Findings {
  readonly server: string | undefined;
  readonly transport: 'tcp' | 'udp';
  /** ms from the beginning. */
  readonly connected: number;
  readonly firstUnit: number;
}

const askEveryMs = 100;

/** @throws CameraError when the camera gives no video at all. */
export async function probe(options: ProbeOptions): Promise<Observation> {
  const began = performance.now();
  const seen = {
    video: null as VideoParameters | null,
    audio: null as AudioOffer | null,
    tally: new VideoTally(),
  };
  const look = new OnePicture(options);
  try {
    const client = await connect(options, {
      onVideo: (video) => {
        seen.video = video;
      },
      onAudio: (audio) => {
        seen.audio = audio;
      },
      // The sound itself is not listened to; without this it is not asked for.
      onAudioUnit: () => undefined,
      onAccessUnit: (unit) => {
        seen.tally.add(unit);
        look.at(unit);
      },
    });
    const connected = performance.now();
    const ended = await watch(client, seen.tally, look, options, connected);
    const { stats } = client;
    await client.close();
    if (seen.tally.units === 0)
      throw ended ?? new CameraError(stats.packets > 0 ? 'no_picture' : 'no_packets');
    return {
      server: client.server,
      transport: stats.transport,
      lostPackets: stats.lostPackets,
      video: seen.video!,
      audio: seen.audio,
      ...seen.tally.figures,
      connected: connected - began,
      firstUnit: seen.tally.firstAt - began,
      firstPicture: look.pictureAt === null ? null : look.pictureAt - began,
      picture: look.picture,
      decoderTrouble: look.trouble,
      ended,
    };
  } finally {
    look.end();
  }
}

/** @throws CameraError; `timeout` when it takes longer than asked for. */
async function connect(
  { url, resolve, connectWithin, signal }: ProbeOptions,
  events: Parameters<typeof RtspClient.connect>[0]['events'],
): Promise<RtspClient> {
  const late = new AbortController();
  const timer =
    connectWithin === undefined
      ? undefined
      : setTimeout(() => late.abort(new CameraError('timeout')), connectWithin);
  try {
    const signals = signal ? [signal, late.signal] : [late.signal];
    return await RtspClient.connect({ url, resolve, events, signal: AbortSignal.any(signals) });
  } finally {
    clearTimeout(timer);
  }
}

/** @returns why the camera ended it; null when enough was seen. @throws the reason of the signal, the camera told. */
async function watch(
  client: RtspClient,
  tally: VideoTally,
  look: OnePicture,
  { enough, signal }: ProbeOptions,
  since: number,
): Promise<CameraError | null> {
  let ended: CameraError | null = null;
  void client.closed.then((reason) => {
    ended = reason ?? new CameraError('connection_lost');
  });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    if (signal?.aborted) await client.close();
    signal?.throwIfAborted();
    const { units, keyframes } = tally;
    const progress = {
      watched: performance.now() - since,
      units,
      keyframes,
      hasPicture: look.picture !== null,
    };
    if (ended !== null || enough(progress)) return ended;
  }
}

/** Has units decoded until there is a picture. */
class OnePicture {
  readonly #pool: CodecPool;
  readonly #options: ChannelOptions;
  #channel: CodecChannel | null = null;
  #over = false;
  picture: Picture | null = null;
  /** ms, monotonic. */
  pictureAt: number | null = null;
  trouble: string | null = null;

  constructor({ pool, channel }: Pick<ProbeOptions, 'pool' | 'channel'>) {
    this.#pool = pool;
    this.#options = channel;
  }

  at(unit: AccessUnit): void {
    if (this.#over) return;
    this.#channel ??= this.#pool.open(
      unit.codec,
      this.#options,
      { pictures: true, faces: false },
      {
        onPicture: (picture) => {
          this.picture ??= picture;
          this.pictureAt ??= performance.now();
          this.end();
        },
        onTrouble: (message) => {
          this.trouble = message.replace(/\.$/, '');
        },
        onReset: () => {
          // One that never started began anew as well, and has said so.
          this.trouble ??= 'the decoder crashed on this video';
        },
      },
    );
    this.#channel.send(unit);
  }

  end(): void {
    this.#over = true;
    this.#channel?.close();
    this.#channel = null;
  }
}
