// Tries a camera before it is saved: one picture, what it sends, and what stands in the way.
// Order and limits; connecting is camera-probe.ts's, words are camera-advice.ts's, requests http's.

import type { Identity } from './base/identity.ts';
import { Places } from './base/places.ts';
import {
  audioName,
  codecNames,
  nextStep,
  noPictureAdvice,
  playableAsSent,
  profileName,
  videoAdvice,
} from './camera-advice.ts';
import { type Findings, probe } from './camera-probe.ts';
import type { ChannelOptions } from './codec/messages.ts';
import type { CodecPool } from './codec/pool.ts';
import type { DirectoryCamera } from './directory-camera.ts';
import { AppError, CameraError, streamNotFound } from './errors.ts';
import { readAddress } from './http/camera-address.ts';
import type { CameraCheck, CameraCheckInput, CameraChecks } from './http/camera-check-ports.ts';
import type { VideoParameters } from './media/access-unit.ts';
import { type CameraUrl, formatCameraUrl } from './media/camera-url.ts';
import type { SavedStream } from './media/saved-stream.ts';
import type { ResolveAddress } from './rtsp/client.ts';
import { watchRunning } from './running-camera.ts';

export interface CameraCheckerOptions {
  readonly pool: CodecPool;
  readonly channel: ChannelOptions;
  readonly resolve: ResolveAddress;
  /** A running camera of this very address, secrets included. */
  readonly onlineAt: (address: CameraUrl) => DirectoryCamera | null;
  readonly saved: (id: string) => Promise<SavedStream | undefined>;
}

/** A camera costs a connection and a decoder each. */
const mostAtOnce = 4;

const connectWithinMs = 8_000;
/** From PLAY on: longer only for a second keyframe, or a first picture. */
const watchAtLeastMs = 1_000;
const secondKeyframeMs = 4_000;
/** Where nothing comes. */
const nothingMs = 6_000;
/** Where video comes: keyframes ten seconds apart are common, and a busy machine decodes late. */
const pictureMs = 14_000;
/** In all, so that with TEARDOWN an answer is there after 20 s. */
const mostMs = 19_400;

export class CameraChecker implements CameraChecks {
  readonly #options: CameraCheckerOptions;
  readonly #places = new Places(mostAtOnce);
  /** Who has one under way. */
  readonly #busy = new Set<string>();

  constructor(options: CameraCheckerOptions) {
    this.#options = options;
  }

  async check(input: CameraCheckInput, by: Identity, signal: AbortSignal): Promise<CameraCheck> {
    const address = await this.#address(input);
    signal.throwIfAborted();
    const leave = this.#enter(by, signal);
    try {
      const running = this.#options.onlineAt(address);
      const shared = running && (await this.#look(running, signal));
      return shared ?? (await this.#connect(address, signal));
    } finally {
      leave();
    }
  }

  async #address({ rtspUrl, streamId }: CameraCheckInput): Promise<CameraUrl> {
    if (streamId === null) return readAddress(rtspUrl, 'rtsp_url', []);
    const saved = await this.#options.saved(streamId);
    if (!saved) throw streamNotFound();
    const known = saved.problem === null ? [saved.address, saved.detectionAddress] : [];
    const own = known.filter((address) => address !== null);
    // The form's own text stands for that very address, whichever other one has the same host, port and user.
    return (
      own.find((address) => formatCameraUrl(address, 'mask') === rtspUrl.trim()) ??
      readAddress(rtspUrl, 'rtsp_url', own)
    );
  }

  /** @returns gives the places back. Whoever went away may begin another check at once. */
  #enter({ userId, sessionId }: Identity, signal: AbortSignal): () => void {
    // Without sign-in nobody can be told from another: there only the number of all counts.
    const who = userId ?? sessionId;
    if (who !== null && this.#busy.has(who))
      throw new AppError(429, 'too_many_checks', 'You are trying a camera already; wait for its result.', {
        retryAfter: 10,
      });
    const leavePlace = this.#places.take();
    if (!leavePlace)
      throw new AppError(
        429,
        'too_many_checks',
        `${mostAtOnce} cameras are being tried at the moment; try again in a few seconds.`,
        { retryAfter: 10 },
      );
    if (who === null) return leavePlace;
    this.#busy.add(who);
    let left = false;
    const free = () => {
      if (!left) this.#busy.delete(who);
      left = true;
    };
    signal.addEventListener('abort', free, { once: true });
    return () => {
      signal.removeEventListener('abort', free);
      free();
      leavePlace();
    };
  }

  async #look(camera: DirectoryCamera, signal: AbortSignal): Promise<CameraCheck | null> {
    const found = await watchRunning(camera, { keyframes: secondKeyframeMs, picture: pictureMs }, signal);
    return found && replyOf(found, true, this.#options.pool.ready);
  }

  async #connect(url: CameraUrl, signal: AbortSignal): Promise<CameraCheck> {
    const { resolve, pool, channel } = this.#options;
    const began = performance.now();
    try {
      const observation = await probe({
        url,
        resolve,
        pool,
        channel,
        connectWithin: connectWithinMs,
        signal,
        enough: ({ watched, units, keyframes, hasPicture }) =>
          performance.now() - began > mostMs ||
          (!hasPicture && watched > (units === 0 ? nothingMs : pictureMs)) ||
          (hasPicture && watched > (keyframes < 2 ? secondKeyframeMs : watchAtLeastMs)),
      });
      return replyOf(observation, false, pool.ready);
    } catch (error) {
      if (!(error instanceof CameraError)) throw error;
      return { ...nothingSeen, ...failure(error) };
    }
  }
}

const nothingSeen = {
  video: null,
  audio: null,
  transport: null,
  time_to_first_picture_ms: null,
  browser: null,
  snapshot: null,
  shared: false,
} as const;

function failure({ code, message }: CameraError) {
  return { ok: false, code, message, advice: [nextStep(code)] };
}

/** @param decoderRuns whether there is a process that could make a picture. */
function replyOf(found: Findings, shared: boolean, decoderRuns: boolean): CameraCheck {
  const { video, picture, firstPicture, keyframeInterval } = found;
  const fps = video.fps ?? (Math.round(found.fps) || null);
  return {
    ...verdict(found, fps, decoderRuns),
    video: {
      codec: video.codec,
      profile: profileName(video.codecString),
      width: video.width,
      height: video.height,
      fps,
      keyframe_interval_s: keyframeInterval === null ? null : Math.round(keyframeInterval / 100) / 10,
    },
    audio: audioName(found.audio),
    transport: found.transport,
    time_to_first_picture_ms: firstPicture === null ? null : Math.round(firstPicture),
    browser: browserFacts(video),
    snapshot: picture && base64(picture.data),
    shared,
  };
}

const noDecoder = 'The camera sends video, and this service cannot decode it at the moment.';

function verdict(
  found: Findings,
  fps: number | null,
  decoderRuns: boolean,
): Pick<CameraCheck, 'ok' | 'code' | 'message' | 'advice'> {
  const { video, picture, ended, decoderTrouble } = found;
  if (picture === null && ended) return failure(ended);
  if (picture === null) {
    const { code, message } = new CameraError('no_picture', decoderTrouble ?? undefined);
    const advice = [noPictureAdvice(found, decoderRuns)];
    if (decoderRuns) return { ok: false, code, message, advice };
    return { ok: false, code: 'no_decoder', message: noDecoder, advice };
  }
  const facts = [codecNames[video.codec]];
  const size = video.width > 0 ? [`${video.width} × ${video.height}`] : [];
  const rate = fps === null ? [] : [`${Math.round(fps * 10) / 10} fps`];
  return {
    ok: true,
    code: 'ok',
    message: `The camera works: ${[...facts, ...size, ...rate].join(', ')}.`,
    advice: videoAdvice(found),
  };
}

function browserFacts(video: VideoParameters): CameraCheck['browser'] {
  const playable = playableAsSent(video);
  return {
    codec: video.codecString,
    mime: playable === 'no' ? null : `video/mp4; codecs="${video.codecString}"`,
    webcodecs: playable,
    mse: playable,
  };
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
