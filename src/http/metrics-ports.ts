// What /metrics needs from the parts that run cameras, and from those that join several instances; app joins it to them.
// Types only; the figures of face detection are in record-ports.ts.

/** Which cameras this instance runs: all that are not stopped in a service of one process, its share in one of several. */
export interface HeldCameras {
  readonly held: number;
  /** Each camera's time here, summed over all since the process started; seconds, and never less than before. */
  readonly seconds: number;
  /** Each camera's figures are told by the instance that runs it, so that a sum over the instances is right. */
  heldHere(streamId: string): boolean;
}

/** Since the process started. */
export interface RelayFigures {
  /** Bytes that went to, or came from, other instances over Redis: nearly all of them pictures, video and sound. */
  readonly bytes: { readonly sent: number; readonly received: number };
  /** Messages that were left out, because the connection could not take them. */
  readonly dropped: number;
}

/** Of a service of several instances. */
export interface ClusterFigures {
  /** Cameras that this instance runs at most. */
  readonly capacity: number;
  /** Those that are there, this one included. */
  readonly instances: number;
  /** Cameras that should run and that no instance has taken yet, as far as is known here. */
  readonly waiting: number;
  readonly relay: RelayFigures;
}
