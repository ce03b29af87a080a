// What a tile says of itself: a code for programs, a sentence for people. Every way to see no live picture has one.
// Made from what the engine reports; the words are in text.ts.

import { text } from '../text.ts';
import type { CameraStatus, EngineStats, FallReason, Report, Step } from './messages.ts';

export type LiveCode =
  /** The picture is of now. */
  | 'live'
  /** A still, renewed now and then, as asked for. */
  | 'thumbnail'
  /** Nobody looks: hidden page, or not visible. */
  | 'resting'
  | 'connecting'
  /** The service connects to the camera. */
  | 'camera_connecting'
  | 'waiting_for_keyframe'
  /** The camera is connected and sends nothing that can be shown. */
  | 'no_picture'
  /** The service has lost the camera and tries again; why is in the sentence. */
  | 'camera_reconnecting'
  /** Needs a person: wrong password, no such path, a codec that cannot be shown. */
  | 'camera_error'
  /** The camera is stopped. */
  | 'stopped'
  /** The connection to the service was lost. */
  | 'reconnecting'
  | 'unreachable'
  /** The service answers, but something between does not pass WebSockets on. */
  | 'blocked'
  | 'server_leaving'
  | 'too_many_viewers'
  /** Not even JPEG pictures can be read. */
  | 'unreadable'
  /** From here on only `retry()` goes on. */
  | 'signed_out'
  | 'forbidden'
  | 'deleted'
  | 'refused';

/** `live`: all is well. `wait`: goes on by itself. `error`: needs a person. `off`: so on purpose. */
export type LiveKind = 'live' | 'wait' | 'error' | 'off';

export interface LiveState {
  readonly code: LiveCode;
  readonly kind: LiveKind;
  /** To be written over the picture; null while there is nothing to explain. */
  readonly sentence: string | null;
  /** To be written small beside a live picture: why it is not played in the best way. */
  readonly note: string | null;
  /** Something has been shown, now or earlier: it stays on the screen and must be seen to be old unless `live`. */
  readonly hasPicture: boolean;
  /** The way in use or being tried. */
  readonly step: Step;
  /** As told on this connection; null until then. */
  readonly camera: CameraStatus | null;
}

export interface LiveStats extends EngineStats {
  readonly step: Step;
  /** What the camera sends (RFC 6381); null until known. */
  readonly codec: string | null;
  /** The stream has sound that this player can play. */
  readonly audio: boolean;
}

type Told = Pick<LiveState, 'code' | 'kind' | 'sentence'>;
const words = text.live;

/** @param now ms since 1970. */
export function describe(report: Report, now: number): LiveState {
  const told = tell(report, now);
  return {
    ...told,
    note: told.code === 'live' ? noteOf(report) : null,
    hasPicture: report.showing !== null,
    step: report.step,
    camera: report.camera,
  };
}

function tell(report: Report, now: number): Told {
  const { link } = report;
  switch (link.state) {
    case 'resting':
      return { code: 'resting', kind: 'off', sentence: words.resting };
    case 'opening':
      return { code: 'connecting', kind: 'wait', sentence: words.connecting };
    case 'waiting':
      return waiting(link, now);
    case 'ended':
      return ended(link);
    case 'open':
      return report.camera ? watching(report, report.camera) : stillOpening(report);
  }
}

function stillOpening({ showing }: Report): Told {
  // A thumbnail hears of no camera.
  if (showing !== null) return { code: 'thumbnail', kind: 'live', sentence: null };
  return { code: 'connecting', kind: 'wait', sentence: words.connecting };
}

function waiting(link: Extract<Report['link'], { state: 'waiting' }>, now: number): Told {
  const seconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
  const told = (code: LiveCode, sentence: string): Told => ({
    code,
    kind: 'wait',
    sentence: words.again(link.words ?? sentence, seconds),
  });
  switch (link.why) {
    case 'lost':
      return told('reconnecting', words.lost);
    case 'leaving':
      return told('server_leaving', words.leaving);
    case 'full':
      return told('too_many_viewers', words.full);
    case 'unreachable':
      return told('unreachable', words.unreachable);
    case 'blocked':
      return told('blocked', words.blocked);
  }
}

function ended({ why, words: said }: Extract<Report['link'], { state: 'ended' }>): Told {
  const sentences = {
    signed_out: words.signedOut,
    deleted: words.deleted,
    forbidden: said ?? words.forbidden,
    refused: said ?? words.refused,
  };
  return { code: why, kind: why === 'deleted' ? 'off' : 'error', sentence: sentences[why] };
}

function watching(report: Report, { status, message }: CameraStatus): Told {
  switch (status) {
    case 'offline':
      return { code: 'stopped', kind: 'off', sentence: words.stopped };
    case 'error':
      return { code: 'camera_error', kind: 'error', sentence: message ?? words.cameraError };
    case 'reconnecting':
      return { code: 'camera_reconnecting', kind: 'wait', sentence: words.cameraLost(message) };
    case 'connecting':
      return { code: 'camera_connecting', kind: 'wait', sentence: message ?? words.cameraConnecting };
    case 'online':
      return playing(report);
  }
}

function playing({ fresh, unreadable, silentSeconds, showing }: Report): Told {
  if (unreadable) return { code: 'unreadable', kind: 'error', sentence: words.unreadable };
  if (fresh) return { code: 'live', kind: 'live', sentence: null };
  if (silentSeconds < 4)
    return { code: 'waiting_for_keyframe', kind: 'wait', sentence: showing === null ? words.keyframe : null };
  return { code: 'no_picture', kind: 'wait', sentence: words.noPicture(silentSeconds) };
}

const reasons: Readonly<Record<FallReason, (codec: string) => string>> = {
  unsupported: words.unsupported,
  failed: () => words.failed,
  slow: () => words.slow,
  not_offered: () => words.notOffered,
};

/** Why JPEG is shown; other steps look the same, so nothing is said of them, nor where the camera itself sends JPEG. */
function noteOf({ step, fall, codec }: Report): string | null {
  if (step !== 'jpeg' || !fall || codec === 'mjpeg') return null;
  return reasons[fall.reason](codecName(codec));
}

/** `hvc1.1.6.L93.B0` as people know it. */
export function codecName(codec: string | null): string {
  if (codec === null) return words.itsVideo;
  if (/^(hvc1|hev1)/.test(codec)) return 'H.265';
  if (/^avc[13]/.test(codec)) return 'H.264';
  return codec === 'mjpeg' ? 'MJPEG' : codec;
}
