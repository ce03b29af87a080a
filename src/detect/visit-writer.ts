// Carries one stream's visits to the sink: start, alert, better pictures, last sight, in order, retried, within bounds.
// Decides by the alert policy; who is in view is decided in tracks.ts.

import type { Clock } from '../base/clock.ts';
import { AppError } from '../errors.ts';
import { type AlertState, afterAlert, decideAlert, quiet } from './alert-policy.ts';
import { RetryQueue } from './retry-queue.ts';
import {
  type Caller,
  giveUpImages,
  type ImageRequest,
  type Job,
  maxWaitingJobs,
  newStart,
  type StartJob,
  type UpdateJob,
  type Visit,
  wallTimeOf,
} from './visit-jobs.ts';
import { type Sighting, type VisitImages, VisitRefused, type VisitSink } from './visit-sink.ts';

/** A picture that takes longer is done without, ms. */
const imageTimeLimitMs = 5_000;
/** An update that still fails after more than a minute must not hold up the alerts behind it. */
const maxUpdateFailures = 15;

export interface VisitWriterOptions<Alert> {
  readonly streamId: string;
  readonly sink: VisitSink<Alert>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly cooldownMs: number;
  readonly newId: () => string;
  /** After the alert is stored. */
  readonly onAlert: (alert: Alert) => void;
  /** A call that failed; called at each try, so the listener limits its rate. */
  readonly onTrouble: (error: unknown) => void;
}

export function unavailable(cause?: unknown): AppError {
  const message = 'Detections cannot be stored at the moment.';
  return new AppError(503, 'detections_unavailable', message, { cause });
}

export class VisitWriter<Alert> {
  readonly #options: VisitWriterOptions<Alert>;
  readonly #queue: RetryQueue<Job>;
  #alert: AlertState = quiet;
  readonly counts = { detections: 0, alerts: 0, failures: 0, lostImages: 0, lostVisits: 0 };

  constructor(options: VisitWriterOptions<Alert>) {
    this.#options = options;
    this.#queue = new RetryQueue<Job>({
      clock: options.clock,
      random: options.random,
      perform: (job) => (job.kind === 'start' ? this.#start(job) : this.#update(job)),
      failed: (job, error, failures) => this.#failed(job, error, failures),
    });
  }

  get waiting(): number {
    return this.#queue.size;
  }
  get failing(): boolean {
    return this.#queue.failing;
  }

  restore(alert: AlertState): void {
    this.#alert = alert;
  }

  /** @param caller waits for the row: told of the first failure, for nothing is tried twice on its behalf. */
  start(visit: Visit, sighting: Sighting, images: ImageRequest | null, caller: Caller | null = null): void {
    visit.pictured = images !== null;
    this.#push((visit.start = newStart(visit, sighting, { images, caller })));
  }

  /** A detection that a crash left without an alert gets one. */
  resumeAlert(visit: Visit, confidence: number): void {
    const sighting = { confidence, box: null, landmarks: null, frame: null };
    this.#push((visit.start = newStart(visit, sighting, { stored: true })));
  }

  /** @param lastSeen ms, monotonic. */
  improve(visit: Visit, sighting: Sighting, images: ImageRequest, lastSeen: number): void {
    if (visit.lost) return;
    visit.pictured = true;
    const start = this.#notBegun(visit.start);
    if (start === null) {
      this.#pushUpdate(visit, lastSeen, { sighting, images });
      return;
    }
    Object.assign(start, { sighting, images, lastSeen });
    this.#boundImages();
  }

  seen(visit: Visit, lastSeen: number): void {
    if (visit.lost) return;
    const start = this.#notBegun(visit.start);
    if (start !== null) start.lastSeen = lastSeen;
    else this.#pushUpdate(visit, lastSeen, null);
  }

  /** Waits for the sink up to `withinMs`, then gives up. @returns whether all is stored. */
  async close(withinMs: number): Promise<boolean> {
    const done = withinMs > 0 ? await this.#queue.idle(withinMs) : this.#queue.size === 0;
    for (const job of this.#queue.stop()) this.#lose(job, unavailable());
    return done;
  }

  /** The job, if it can still be changed: one that was tried may be stored although it failed. */
  #notBegun<Kind extends Job>(job: Kind | null): Kind | null {
    return job !== null && this.#queue.waiting.includes(job) ? job : null;
  }

  #pushUpdate(visit: Visit, lastSeen: number, better: UpdateJob['better']): void {
    const waiting = this.#notBegun(visit.update);
    if (waiting === null) {
      this.#push((visit.update = { kind: 'update', visit, better, lastSeen }));
      return;
    }
    waiting.lastSeen = lastSeen;
    if (better !== null) waiting.better = better;
    this.#boundImages();
  }

  #push(job: Job): void {
    const { waiting } = this.#queue;
    if (waiting.length >= maxWaitingJobs) {
      const oldest = waiting.find((other) => other.kind === 'update');
      if (oldest === undefined) {
        this.#lose(job, unavailable());
        return;
      }
      this.#queue.remove((other) => other === oldest);
    }
    this.#queue.push(job);
    this.#boundImages();
  }

  #boundImages(): void {
    this.counts.lostImages += giveUpImages(this.#queue.waiting);
  }

  #lose(job: Job, reason: unknown): void {
    if (job.kind === 'update') {
      if (job.better !== null) this.counts.lostImages += 1;
      return;
    }
    job.visit.lost = true;
    if (!job.stored) this.counts.lostVisits += 1;
    job.caller?.reject(reason);
  }

  async #start(job: StartJob): Promise<void> {
    if (!job.stored) await this.#storeDetection(job);
    const decision = decideAlert(this.#alert, job.visit.startedAt);
    if (decision.action === 'raise') await this.#raise(job);
    else await this.#options.sink.alertExtended({ alertId: decision.alertId, detectionId: job.visit.id });
    job.caller?.resolve();
  }

  async #storeDetection(job: StartJob): Promise<void> {
    const { visit, sighting } = job;
    const images = await this.#picture(job.images);
    // A retry must not wait for the picture again.
    job.images = images === null ? null : Promise.resolve(images);
    if (images === null) visit.pictured = false;
    const { sink, streamId } = this.#options;
    const { id, time } = visit;
    const lastSeen = wallTimeOf(visit, job.lastSeen);
    await sink.detectionStarted({ id, streamId, sighting, time, lastSeen, images });
    job.stored = true;
    job.images = null;
    this.counts.detections += 1;
  }

  async #raise(job: StartJob): Promise<void> {
    const { sink, streamId, clock, cooldownMs, newId, onAlert, onTrouble } = this.#options;
    const { id: detectionId, time } = job.visit;
    const { confidence } = job.sighting;
    const id = (job.alertId ??= newId());
    const raisedAt = clock.wallTime();
    const alert = await sink.alertRaised({ id, streamId, detectionId, confidence, time, raisedAt });
    this.counts.alerts += 1;
    try {
      onAlert(alert);
    } catch (error) {
      // Stored is stored: a listener's defect must not raise it a second time.
      onTrouble(error);
    }
    this.#alert = afterAlert(id, clock.now(), cooldownMs);
  }

  async #update({ visit, better, lastSeen: at }: UpdateJob): Promise<void> {
    if (visit.lost) return;
    const { sink } = this.#options;
    const { id } = visit;
    const lastSeen = wallTimeOf(visit, at);
    const images = better === null ? null : await this.#picture(better.images);
    if (better !== null && images === null) visit.pictured = false;
    if (better === null || images === null) await sink.detectionSeen({ id, lastSeen });
    else await sink.detectionImproved({ id, sighting: better.sighting, images, lastSeen });
  }

  /** Null when there is no picture: none asked for, failed, or too late. */
  async #picture(request: ImageRequest | null): Promise<VisitImages | null> {
    if (request === null) return null;
    const { clock, onTrouble } = this.#options;
    let cancel = () => {};
    const tooLate = new Promise<null>((resolve) => {
      cancel = clock.after(imageTimeLimitMs, () => resolve(null));
    });
    const images = await Promise.race([request, tooLate]).catch((error: unknown) => {
      onTrouble(error);
      return null;
    });
    cancel();
    if (images === null) this.counts.lostImages += 1;
    return images;
  }

  /** @returns whether to try again. */
  #failed(job: Job, error: unknown, failures: number): boolean {
    this.counts.failures += 1;
    this.#options.onTrouble(error);
    // Callers are not kept waiting for a sink that fails.
    for (const other of this.#queue.remove((one) => one.kind === 'start' && one.caller !== null)) {
      if (other.kind === 'start') other.caller?.reject(unavailable(error));
    }
    const hopeless =
      error instanceof VisitRefused || (job.kind === 'update' && failures >= maxUpdateFailures);
    if (hopeless) {
      this.#lose(job, unavailable(error));
      return false;
    }
    if (job.kind === 'update' || job.caller === null) return true;
    // The row counts; an alert that waits for the sink to come back is not the caller's trouble.
    if (job.stored) job.caller.resolve();
    else job.caller.reject(unavailable(error));
    return job.stored;
  }
}
