// Scripted time, people and a store in memory for the tests of this folder.
// Used by tests only.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { FaceInFrame, FractionBox } from '../media/faces.ts';
import type { AnalysedFrame } from './analysed-frame.ts';
import type { NewAlert, NewDetection, VisitSink } from './visit-sink.ts';

/** Time stands still but for `advance`. */
export class ScriptedClock implements Clock {
  #now = 1_000;
  #wallOffset = 1_750_000_000_000;
  #timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  wallTime(): number {
    return this.#now + this.#wallOffset;
  }
  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves the wall clock only. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Fires what is due in order, and lets everything that follows from it happen. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await nextTurn();
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.fn();
      await nextTurn();
    }
    this.#now = end;
  }
}

export function face(box: Partial<FractionBox> = {}, more: Partial<FaceInFrame> = {}): FaceInFrame {
  return {
    confidence: 0.95,
    box: { x: 0.4, y: 0.3, width: 0.08, height: 0.1, ...box },
    landmarks: [],
    sharpness: 1,
    ...more,
  };
}

export function frameAt(at: number, faces: readonly FaceInFrame[], wallTime = at): AnalysedFrame {
  return { timestamp: at * 1000, at, wallTime, width: 640, height: 480, faces };
}

export interface StoredAlert extends NewAlert {
  readonly detections: Set<string>;
  /** Monotonic, when it was stored. */
  readonly storedAt: number;
}

/** Stores like a database does: by id, once. `broken` makes every call fail; `afterwards`: only after having stored. */
export class MemorySink implements VisitSink<StoredAlert> {
  readonly detections = new Map<string, NewDetection>();
  readonly alerts = new Map<string, StoredAlert>();
  readonly calls: string[] = [];
  broken: false | 'before' | 'afterwards' = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  detectionStarted(detection: NewDetection): Promise<void> {
    return this.#store(`started ${detection.id}`, () => {
      if (!this.detections.has(detection.id)) this.detections.set(detection.id, detection);
    });
  }

  detectionImproved(change: Parameters<VisitSink<StoredAlert>['detectionImproved']>[0]): Promise<void> {
    return this.#store(`improved ${change.id}`, () => this.#change(change.id, change));
  }

  detectionSeen(change: { id: string; lastSeen: number }): Promise<void> {
    return this.#store(`seen ${change.id}`, () => this.#change(change.id, change));
  }

  alertRaised(alert: NewAlert): Promise<StoredAlert> {
    return this.#store(`raised ${alert.id}`, () => {
      if (!this.detections.has(alert.detectionId)) throw new Error('no such detection');
      const stored = this.alerts.get(alert.id) ?? {
        ...alert,
        detections: new Set([alert.detectionId]),
        storedAt: this.#clock.now(),
      };
      this.alerts.set(alert.id, stored);
      return stored;
    });
  }

  alertExtended({ alertId, detectionId }: { alertId: string; detectionId: string }): Promise<void> {
    return this.#store(`extended ${alertId}`, () => {
      this.alerts.get(alertId)?.detections.add(detectionId);
    });
  }

  #change(id: string, change: Partial<NewDetection>): void {
    this.detections.set(id, { ...this.detections.get(id)!, ...change });
  }

  async #store<Result>(call: string, change: () => Result): Promise<Result> {
    // Later, but before scripted time goes on.
    await null;
    if (this.broken === 'before') throw new Error('database is locked');
    const result = change();
    if (this.broken === 'afterwards') throw new Error('connection lost');
    this.calls.push(call);
    return result;
  }
}
