// The words that pass between the parts of a service of several instances, and what these need from the rest of it.
// Types only. In a service of one process nothing of this folder is constructed.

import type { Fence } from '../base/fence.ts';

/** Messages to all other instances; what is not JSON travels beside it as bytes. */
export interface Bus {
  /** Of this process, new at each start: `<INSTANCE_NAME>-<random>`. */
  readonly instance: string;
  /** Whether Redis answers, as far as is known: noticed within some seconds. */
  readonly up: boolean;
  /**
   * To every other instance that subscribes, in order, at most once; lost when Redis is away or too much is on its way
   * already (see `lasting`).
   */
  publish(topic: string, message: object, bytes?: Uint8Array): void;
  /**
   * As `publish`, but kept (a bounded number, the oldest go first) until Redis is back: for what must not be missed.
   * Those who get it must bear getting it twice.
   */
  publishLasting(topic: string, message: object): void;
  /** Messages of this instance do not come back to it. @returns ends it. */
  subscribe(
    topic: string,
    onMessage: (message: unknown, bytes: Uint8Array, from: string) => void,
  ): () => void;
  /**
   * Asks one instance. Rejects with AppError 503 `instance_unavailable` when it does not answer in time, and with the
   * AppError (status, code and sentence) that the other side's handler threw.
   */
  request(
    instance: string,
    kind: string,
    message: object,
    bytes: Uint8Array,
    timeoutMs: number,
  ): Promise<unknown>;
  /** One handler for each kind. */
  onRequest(kind: string, handler: (message: unknown, bytes: Uint8Array) => Promise<object>): void;
  /** Called each time the connection is (again) there, and each time it is lost. @returns ends it. */
  onChange(listener: (up: boolean) => void): () => void;
}

/** The table of who holds which stream; its numbers only grow. Rejects when the database does not answer. */
export interface OwnershipStore {
  /** From now on `instance` holds the stream. @returns its fence; null when there is no such stream. */
  claim(streamId: string, instance: string): Promise<Fence | null>;
  /** What `instance` holds, by stream id: the fence numbers. */
  held(instance: string): Promise<ReadonlyMap<string, number>>;
  /** Who holds the stream at this moment. */
  owner(streamId: string): Promise<{ readonly instance: string; readonly fence: number } | null>;
}

/** The right to run a camera. */
export interface Lease {
  readonly fence: Fence;
  /**
   * False once it was not renewed in time (this process was stopped, or Redis is away) and not confirmed since, and for
   * good once it is lost: nothing may be told in the stream's name while it is false.
   */
  readonly fresh: boolean;
  /**
   * Resolves when it is fresh; asks the database if need be. Rejects with `FencedOff` when somebody else holds the
   * stream, with whatever the database rejects with when that cannot be found out.
   */
  confirm(): Promise<void>;
}

/** Why a camera is let go: `lost` to another instance that may run it already, or on purpose. */
export type ReleaseReason = 'lost' | 'moved' | 'leaving' | 'stopped';

/** What runs cameras; app joins it to the real ones. */
export interface CameraRunner {
  /** Connects the camera: this instance holds it. Never called for one that is held. */
  hold(streamId: string, lease: Lease): void;
  /** Disconnects it and forgets it. Resolves when no connection to it is left: only then may another instance begin. */
  release(streamId: string, reason: ReleaseReason): Promise<void>;
  /** Viewers of it, of all instances: those without any are moved first. */
  viewers(streamId: string): number;
}

export interface InstanceView {
  readonly instance: string;
  /** INSTANCE_NAME */
  readonly name: string;
  /** Of the package. */
  readonly version: string;
  readonly capacity: number;
  readonly held: number;
  readonly leaving: boolean;
}
