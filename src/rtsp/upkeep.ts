// What is said while video plays, besides the video: keepalives, what the camera asks, and when.
// What follows from it for the session is session.ts's work.

import { CameraError } from '../errors.ts';
import type { RtspConnection } from './connection.ts';
import { fromSocketError, fromStatus } from './failure.ts';
import type { RtspRequest } from './message.ts';

/** Runs work again and again until it is stopped; keeps no process alive. */
export class Upkeep {
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** @param interval ms, asked anew each time. */
  repeat(work: () => void, interval: () => number): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
      this.repeat(work, interval);
    }, interval());
    timer.unref();
    this.#timers.add(timer);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

/**
 * One keepalive. False when the camera does not know the method.
 * @throws CameraError when the session is gone.
 */
export async function keepAlive(
  connection: RtspConnection,
  method: 'GET_PARAMETER' | 'OPTIONS',
  url: string,
  session: string | undefined,
): Promise<boolean> {
  try {
    const response = await connection.request(method, url, { Session: session });
    if (response.status === 454) throw fromStatus(response);
    return response.status !== 405 && response.status !== 501;
  } catch (error) {
    // Cameras that never answer a keepalive keep the session all the same.
    if (error instanceof CameraError && error.code === 'timeout') return true;
    throw fromSocketError(error);
  }
}

/** Answers what a camera may ask of its client (RFC 2326 §10). False when it ends the session by it. */
export function answerCamera(connection: RtspConnection, request: RtspRequest): boolean {
  const { method } = request;
  const ends = method === 'REDIRECT' || method === 'TEARDOWN';
  if (method === 'OPTIONS')
    connection.respond(request, 200, { Public: 'OPTIONS, GET_PARAMETER, SET_PARAMETER, REDIRECT' });
  else if (ends || method === 'GET_PARAMETER' || method === 'SET_PARAMETER') connection.respond(request, 200);
  else connection.respond(request, 501);
  return !ends;
}
