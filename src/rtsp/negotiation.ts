// What is asked of a camera before its video plays, and what its answers mean: OPTIONS, DESCRIBE, the Session header.
// Holds no state; which transport is set up, and what becomes of the session, is session.ts's work.

import { CameraError } from '../errors.ts';
import type { RtspConnection } from './connection.ts';
import { fromStatus, isRedirect, RedirectAnswer } from './failure.ts';
import type { RtspResponse } from './message.ts';
import {
  baseUrl,
  chooseVideo,
  controlUrl,
  parseSdp,
  type SessionDescription,
  type VideoTrack,
} from './sdp.ts';
import { type AudioChoice, chooseAudio } from './sdp-audio.ts';

export interface DescribedVideo {
  readonly track: VideoTrack;
  /** For SETUP. */
  readonly trackUrl: string;
  readonly audio: AudioChoice;
  /** For SETUP; that of no track is not used. */
  readonly audioUrl: string;
  /** For everything after it. */
  readonly aggregateUrl: string;
  readonly offersGetParameter: boolean;
}

/** @param url as on the request line. @throws RedirectAnswer, or CameraError: a refusal, or no video that can be shown. */
export async function describeVideo(connection: RtspConnection, url: string): Promise<DescribedVideo> {
  const options = await connection.request('OPTIONS', url);
  // Any other refusal of OPTIONS says nothing about the video.
  if (isRedirect(options.status)) throw new RedirectAnswer(options.headers.get('Location'));
  const offersGetParameter = /\bGET_PARAMETER\b/.test(options.headers.getAll('Public').join(','));
  const { headers, body } = succeeded(
    await connection.request('DESCRIBE', url, { Accept: 'application/sdp' }),
  );
  const base = baseUrl(headers.get('Content-Base'), headers.get('Content-Location'), url);
  const sdp = parseSdp(body);
  const track = chooseTrack(sdp);
  const audio = chooseAudio(sdp);
  return {
    track,
    trackUrl: controlUrl(base, track.control),
    audio,
    audioUrl: controlUrl(base, audio.kind === 'track' ? audio.track.control : undefined),
    aggregateUrl: controlUrl(base, sdp.control),
    offersGetParameter,
  };
}

function chooseTrack(sdp: SessionDescription): VideoTrack {
  const choice = chooseVideo(sdp);
  if (choice.kind === 'none') throw new CameraError('no_video');
  if (choice.kind === 'unsupported')
    throw new CameraError('codec_unsupported', choice.codec.replace(/[^\x20-\x7e]/g, ''));
  return choice.track;
}

/**
 * The id of the session and its time-out in ms, null when none is named (RFC 2326 §12.37).
 * @throws CameraError `protocol` without an id.
 */
export function readSession(response: RtspResponse): {
  readonly id: string;
  readonly timeout: number | null;
} {
  const [text = '', ...parameters] = (response.headers.get('Session') ?? '').split(';');
  const id = text.trim();
  if (id === '') throw new CameraError('protocol', 'it names no session');
  const seconds = parameters.map((part) => /^\s*timeout\s*=\s*"?(\d{1,6})/i.exec(part)?.[1]).find(Boolean);
  return { id, timeout: Number(seconds ?? 0) > 0 ? Number(seconds) * 1000 : null };
}

/** SETUP's answers to a transport that a server does not have: the standard's, and that of servers which know only UDP. */
export function refusesTransport({ status }: RtspResponse): boolean {
  return status === 461 || status === 400;
}

export function isSuccess({ status }: RtspResponse): boolean {
  return status >= 200 && status <= 299;
}

/** The response itself. @throws RedirectAnswer or CameraError unless its status is 2xx. */
export function succeeded(response: RtspResponse): RtspResponse {
  if (isRedirect(response.status)) throw new RedirectAnswer(response.headers.get('Location'));
  if (!isSuccess(response)) throw fromStatus(response);
  return response;
}
