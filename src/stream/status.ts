// What a camera is doing, as people are told: the states of the public contract and how they follow from events.
// A pure state machine; connecting, timers and sockets live in ingest.

import { type BackoffOptions, backoffMs } from '../base/backoff.ts';
import type { CameraErrorCode } from '../errors.ts';

/**
 * `offline`: stopped or never started · `connecting`: first attempt, or no keyframe yet · `online` ·
 * `reconnecting`: will be tried again by itself · `error`: needs a person; tried again, slowly, only if it served before.
 */
export type StreamStatus = 'offline' | 'connecting' | 'online' | 'reconnecting' | 'error';

export interface CameraFailure {
  readonly code: CameraErrorCode;
  readonly message: string;
  readonly needsPerson: boolean;
}

export interface CameraState {
  readonly status: StreamStatus;
  /** Why it is not online, as a sentence; null when there is nothing to say. */
  readonly message: string | null;
  readonly code: CameraErrorCode | null;
  /** Failed attempts since it last ran well. */
  readonly failures: number;
  /** When the next attempt is due (ms, monotonic); null when none is planned. */
  readonly retryAt: number | null;
  /** When the running or last attempt began; null before the first. */
  readonly attemptedAt: number | null;
  readonly onlineSince: number | null;
  /** The camera has accepted these credentials before: a later refusal is its trouble, not a wrong password. */
  readonly wasAccepted: boolean;
}

export type CameraEvent =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  /** The address or its password changed: everything known of the old one is void. */
  | { readonly type: 'address_changed' }
  | { readonly type: 'attempt' }
  | { readonly type: 'playing' }
  | { readonly type: 'keyframe' }
  | { readonly type: 'failed'; readonly failure: CameraFailure }
  | { readonly type: 'watched'; readonly watched: boolean };

export const initialCameraState: CameraState = {
  status: 'offline',
  message: null,
  code: null,
  failures: 0,
  retryAt: null,
  attemptedAt: null,
  onlineSince: null,
  wasAccepted: false,
};

const watchedBackoff: BackoffOptions = { firstMs: 200, maxMs: 1_000 };
const unwatchedBackoff: BackoffOptions = { firstMs: 200, maxMs: 30_000 };
/** A camera that answers, but refuses: asking often would keep it busy or lock the account. */
const refusedBackoff: BackoffOptions = { firstMs: 3_000, maxMs: 30_000 };
/** Two attempts never begin within this of each other, whatever happens (watched cameras: at most 1 try a second). */
const leastBetweenAttemptsMs = 1_000;
/** A session that lasted this long ran well: its end is a new story. */
const ranWellMs = 5_000;

const refusals: ReadonlySet<CameraErrorCode> = new Set(['server_full', 'server_error', 'wrong_password']);

export interface Surroundings {
  readonly now: number;
  readonly watched: boolean;
  readonly random: () => number;
}

/** The next state. Pure: the same arguments give the same state. */
export function nextCameraState(state: CameraState, event: CameraEvent, around: Surroundings): CameraState {
  switch (event.type) {
    case 'start':
      if (state.status === 'online' || state.status === 'connecting' || state.status === 'reconnecting')
        return state;
      return {
        ...initialCameraState,
        wasAccepted: state.wasAccepted,
        status: 'connecting',
        retryAt: around.now,
      };
    case 'stop':
      return { ...initialCameraState, wasAccepted: state.wasAccepted };
    case 'address_changed':
      return state.status === 'offline'
        ? initialCameraState
        : { ...initialCameraState, status: 'connecting', retryAt: around.now };
    case 'attempt':
      return { ...state, retryAt: null, attemptedAt: around.now };
    case 'playing':
      return {
        ...state,
        wasAccepted: true,
        // The reason of the last failure stays until there is a picture again.
        message: state.message ?? 'Connected; waiting for the first keyframe.',
      };
    case 'keyframe':
      if (state.status === 'online') return state;
      // It may come before PLAY's answer is taken note of, so it proves the credentials as well.
      return {
        ...state,
        status: 'online',
        message: null,
        code: null,
        onlineSince: around.now,
        wasAccepted: true,
      };
    case 'failed':
      return afterFailure(state, event.failure, around);
    case 'watched':
      // Somebody came to look: a long wait is cut short, within the limit of attempts.
      if (!event.watched || state.retryAt === null || state.status !== 'reconnecting') return state;
      if (state.code !== null && refusals.has(state.code)) return state;
      return { ...state, retryAt: Math.min(state.retryAt, earliestAttempt(state, around.now)) };
  }
}

function earliestAttempt(state: CameraState, now: number): number {
  return state.attemptedAt === null ? now : Math.max(now, state.attemptedAt + leastBetweenAttemptsMs);
}

/** It answers, but does not serve. A session lost before any picture is one that it would not give. */
function isRefusal(code: CameraErrorCode, wasOnline: boolean): boolean {
  return refusals.has(code) || (code === 'session_lost' && !wasOnline);
}

function afterFailure(state: CameraState, failure: CameraFailure, around: Surroundings): CameraState {
  if (state.status === 'offline') return state;
  const { now } = around;
  const refusedAfterSuccess = failure.code === 'wrong_password' && state.wasAccepted;
  const message = refusedAfterSuccess
    ? 'The camera refuses the sign-in that it accepted before; trying again slowly.'
    : failure.message;
  const common = { ...state, message, code: failure.code, onlineSince: null };
  if (failure.needsPerson && !state.wasAccepted) return { ...common, status: 'error', retryAt: null };
  const wasOnline = state.onlineSince !== null;
  const ranWell = state.onlineSince !== null && now - state.onlineSince >= ranWellMs;
  const failures = ranWell ? 0 : state.failures;
  const backoff =
    failure.needsPerson || isRefusal(failure.code, wasOnline)
      ? refusedBackoff
      : around.watched
        ? watchedBackoff
        : unwatchedBackoff;
  const retryAt = Math.max(
    now + backoffMs(failures, backoff, around.random),
    // Jittered as well, or cameras that fail together would all be tried again at the same moment.
    earliestAttempt(state, now) + (ranWell ? 0 : around.random() * 100),
  );
  // What served before may serve again by itself: a camera that starts up does not know its own paths for a while.
  const status = failure.needsPerson && !refusedAfterSuccess ? 'error' : 'reconnecting';
  return { ...common, status, failures: failures + 1, retryAt: Math.ceil(retryAt) };
}
