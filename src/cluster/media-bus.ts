// The bus as those who open it, and those who send pictures and packets, see it.
// Types only.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Bus } from './ports.ts';

export interface BusOptions {
  /** Of this process, new at each start. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How long Redis may take to answer at the start, ms. */
  readonly startWithinMs?: number;
}

export interface BusFigures {
  /** Bytes that Redis has not yet taken. */
  readonly inFlight: number;
  readonly messages: number;
  readonly bytes: { readonly sent: number; readonly received: number };
  readonly dropped: number;
  /** What arrived and was no message. */
  readonly malformed: number;
}

/** The bus as pictures and packets need it: they are worth nothing late, and give way to everything else. */
export interface MediaBus extends Bus {
  /** As `publish`, when the connection is not behind; else nothing is sent. @returns whether it was. */
  offer(topic: string, message: object, bytes: Uint8Array): boolean;
  /** Called when `offer` has refused and would not any more. @returns ends it. */
  onRoom(listener: () => void): () => void;
  /** @param onReady is called each time the subscription is in force: nothing sent from then on is missed. */
  subscribe(
    topic: string,
    onMessage: (message: unknown, bytes: Uint8Array, from: string) => void,
    onReady?: () => void,
  ): () => void;
}
