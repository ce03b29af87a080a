// What instances tell each other about a camera: its state, what is wanted of it, its media; as JSON and back.
// Words and checks only. What is read here came from another version perhaps: what is missing has a default, the rest is ignored.

import type { Picture, VideoCodec, VideoParameters } from '../media/access-unit.ts';
import type { AudioCodec, AudioOffer, AudioParameters } from '../media/audio.ts';
import type { DetectorState } from '../media/faces.ts';
import type { CameraFigures, DetectorView, PictureFigures, RaisedAlert } from '../stream/live-camera.ts';
import type { StreamStatus } from '../stream/status.ts';

export const mediaKinds = ['units', 'pictures', 'sound', 'faces'] as const;
export type MediaKind = (typeof mediaKinds)[number];

export const topics = {
  states: 'states',
  /** Asks every owner for the states of its cameras. */
  statesAsked: 'states?',
  wants: 'wants',
  alerts: 'alerts',
  media: (kind: MediaKind, streamId: string) => `${kind}:${streamId}`,
  /** What an instance needs to begin, for it alone. */
  beginnings: (instance: string) => `beginnings:${instance}`,
} as const;

type Json = Readonly<Record<string, unknown>>;

export interface ToldState {
  readonly id: string;
  readonly fence: number;
  /** Another one: what is told begins anew. */
  readonly session: string;
  /** The owner lets the camera go. */
  readonly gone: boolean;
  readonly status: StreamStatus;
  readonly message: string | null;
  readonly video: VideoParameters | null;
  readonly audio: AudioOffer;
  /** What listeners get. */
  readonly aac: AudioParameters | null;
  /** Of all instances. */
  readonly viewers: number;
  readonly detector: DetectorView;
  readonly figures: CameraFigures;
  readonly pictures: PictureFigures;
  readonly unitsPerSecond: number;
  readonly bytesPerSecond: number;
  /** The app's own. */
  readonly details: unknown;
}

/** What one instance wants of a camera. */
export interface Want {
  readonly kinds: ReadonlySet<MediaKind>;
  readonly viewers: number;
  /** Another number than before: it needs the units since the last keyframe. */
  readonly begin: number;
}

const statuses: ReadonlySet<string> = new Set(['offline', 'connecting', 'online', 'reconnecting', 'error']);
export const videoCodecs: ReadonlySet<string> = new Set(['h264', 'h265', 'mjpeg']);
const audioCodecs: ReadonlySet<string> = new Set(['aac', 'opus', 'pcmu', 'pcma', 'l16']);
const detectorStates: ReadonlySet<string> = new Set(['off', 'starting', 'ready', 'failed', 'restarting']);

export function membersOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

export function numberOr<D>(value: unknown, otherwise: D): number | D {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

export function textOr<D>(value: unknown, otherwise: D): string | D {
  return typeof value === 'string' ? value : otherwise;
}

export function oneOf<T extends string>(value: unknown, known: ReadonlySet<string>): T | null {
  return typeof value === 'string' && known.has(value) ? (value as T) : null;
}

export function videoJson(video: VideoParameters | null): object | null {
  if (video === null) return null;
  const { parameterSets, ...members } = video;
  return { ...members, sets: parameterSets.map(base64) };
}

export function readVideo(value: unknown): VideoParameters | null {
  const { codec, width, height, fps, codecString, sets } = membersOf(value);
  const known = oneOf<VideoCodec>(codec, videoCodecs);
  if (known === null || typeof codecString !== 'string') return null;
  return {
    codec: known,
    width: numberOr(width, 0),
    height: numberOr(height, 0),
    fps: numberOr(fps, null),
    codecString,
    parameterSets: Array.isArray(sets) ? sets.map((set) => bytesOf(set)) : [],
  };
}

export function audioJson(audio: AudioParameters | null): object | null {
  return audio && { ...audio, config: base64(audio.config) };
}

export function readAudio(value: unknown): AudioParameters | null {
  const { codec, sampleRate, channels, config, codecString } = membersOf(value);
  const known = oneOf<AudioCodec>(codec, audioCodecs);
  const rate = numberOr(sampleRate, 0);
  if (known === null || rate <= 0 || typeof codecString !== 'string') return null;
  return {
    codec: known,
    sampleRate: rate,
    channels: numberOr(channels, 1),
    config: bytesOf(config),
    codecString,
  };
}

function readOffer(audio: unknown, unsupported: unknown): AudioOffer {
  const parameters = readAudio(audio);
  if (parameters) return { kind: 'audio', audio: parameters };
  return typeof unsupported === 'string' ? { kind: 'unsupported', codec: unsupported } : { kind: 'none' };
}

const noPictures: PictureFigures = {
  pictures: 0,
  picturesPerSecond: 0,
  processingTime: 0,
  latency: 0,
  dropped: 0,
  decodeErrors: 0,
  decoders: 0,
  readers: 0,
};

export const noFigures: { readonly camera: CameraFigures; readonly pictures: PictureFigures } = {
  camera: {
    detection: { frames_analysed: 0, frames_skipped: 0, backlog: 0, faces: 0, tracks: 0, alerts: 0 },
    detections: 0,
    detectionTime: 0,
    uptime: 0,
  },
  pictures: noPictures,
};

/** The numbers that `example` has, as far as they were told. */
function numbersLike<T extends object>(example: T, value: unknown): T {
  const told = membersOf(value);
  const entries = Object.entries(example).map(([name, usual]) => [
    name,
    typeof usual === 'object' ? numbersLike(usual, told[name]) : numberOr(told[name], usual),
  ]);
  return Object.fromEntries(entries) as T;
}

/** @returns null for what is no state that can be used. */
export function readState(value: unknown): ToldState | null {
  const told = membersOf(value);
  const { id, fence, session, message } = told;
  if (typeof id !== 'string' || typeof fence !== 'number' || typeof session !== 'string') return null;
  const detector = membersOf(told.detector);
  return {
    id,
    fence,
    session,
    gone: told.gone === true,
    status: oneOf<StreamStatus>(told.status, statuses) ?? 'connecting',
    message: textOr(message, null),
    video: readVideo(told.video),
    audio: readOffer(told.audio, told.unsupportedAudio),
    aac: readAudio(told.aac),
    viewers: numberOr(told.viewers, 0),
    detector: {
      state: oneOf<DetectorState>(detector.state, detectorStates) ?? 'off',
      message: textOr(detector.message, null),
    },
    figures: numbersLike(noFigures.camera, told.figures),
    pictures: numbersLike(noFigures.pictures, told.pictures),
    unitsPerSecond: numberOr(told.unitsPerSecond, 0),
    bytesPerSecond: numberOr(told.bytesPerSecond, 0),
    details: told.details ?? null,
  };
}

/** `[kinds, viewers, begin]`, or null for nothing. */
export function wantJson(want: Want | null): unknown {
  return want && [[...want.kinds], want.viewers, want.begin];
}

export function readWant(value: unknown): Want | null {
  if (!Array.isArray(value)) return null;
  const [kinds, viewers, begin] = value as readonly unknown[];
  const told: readonly unknown[] = Array.isArray(kinds) ? kinds : [];
  const want: Want = {
    kinds: new Set(mediaKinds.filter((kind) => told.includes(kind))),
    viewers: Math.max(0, numberOr(viewers, 0)),
    begin: numberOr(begin, 0),
  };
  return want.kinds.size === 0 && want.viewers === 0 ? null : want;
}

/** Who says it: members of everything that is told of a camera's media. */
export interface Sender {
  /** Fence. */
  readonly f: number;
  /** Session. */
  readonly e: string;
}

/** Of whatever bears the time of its arrival, ms to a hundredth. */
export function ageOf(receivedAt: number, now: number): number {
  return Math.round((now - receivedAt) * 100) / 100;
}

export function readPicture(message: Json, data: Uint8Array, now: number): Picture | null {
  const { t, a, w, h } = message;
  const timestamp = numberOr(t, null);
  if (timestamp === null || data.byteLength === 0) return null;
  return {
    data,
    width: numberOr(w, 0),
    height: numberOr(h, 0),
    timestamp,
    receivedAt: now - numberOr(a, 0),
  };
}

export function readAlert(value: unknown): RaisedAlert | null {
  const { alertId, detectionId, streamId, time, confidence, snapshot } = membersOf(value);
  if (typeof alertId !== 'string' || typeof streamId !== 'string') return null;
  return {
    alertId,
    detectionId: textOr(detectionId, ''),
    streamId,
    time: numberOr(time, 0),
    confidence: numberOr(confidence, 0),
    snapshot: textOr(snapshot, null),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function bytesOf(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(textOr(text, ''), 'base64'));
}
