// Messages between a benchmark and its process of viewers, declared once for both sides.
// Sent by structured clone; no behaviour.

export type ToViewers =
  | {
      readonly type: 'open';
      readonly request: number;
      readonly viewers: readonly { readonly id: number; readonly url: string }[];
    }
  /** Counters start at 0, `keepEvery` pictures one is kept to be read later (0: none), `keepAtMost` in all. */
  | {
      readonly type: 'measure';
      readonly request: number;
      readonly keepEvery: number;
      readonly keepAtMost: number;
    }
  | { readonly type: 'report'; readonly request: number }
  | { readonly type: 'stopReading'; readonly request: number; readonly id: number }
  | { readonly type: 'close'; readonly request: number; readonly ids: readonly number[] }
  | { readonly type: 'first'; readonly request: number; readonly url: string; readonly timeoutMs: number };

/** A picture that was read: which frame of the simulated camera it shows, and when it arrived (`epochNow`, ms). */
export interface SeenFrame {
  readonly counter: number;
  readonly at: number;
}

export interface ViewerReport {
  readonly id: number;
  readonly pictures: number;
  readonly bytes: number;
  readonly longestGapMs: number;
  /** Interruptions of the camera seen since it was opened. */
  readonly interruptions: number;
  readonly closed: string | null;
  readonly seen: readonly SeenFrame[];
}

export interface FirstPicture {
  readonly startedAt: number;
  readonly firstAt: number;
  readonly counter: number | null;
}

export type FromViewers =
  | { readonly type: 'done'; readonly request: number }
  | { readonly type: 'failed'; readonly request: number; readonly message: string }
  | {
      readonly type: 'report';
      readonly request: number;
      readonly elapsedMs: number;
      readonly viewers: readonly ViewerReport[];
      /** Pictures kept in which no frame counter could be read. */
      readonly unreadable: number;
    }
  | { readonly type: 'first'; readonly request: number; readonly picture: FirstPicture };
