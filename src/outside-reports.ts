// Detections made outside, when several instances share the streams: each goes to the instance that runs the camera.
// For the alert policy has one owner for each stream; of a stopped one, whoever is asked becomes it for a moment.

import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { CameraFaces } from './camera-faces.ts';
import type { Bus, OwnershipStore } from './cluster/ports.ts';
import { AppError, streamNotFound } from './errors.ts';
import type { OutsideDetection } from './http/record-ports.ts';
import type { RaisedAlert } from './stream/live-camera.ts';
import { Stream } from './stream/stream.ts';
import type { VisitStore } from './visit-store.ts';

export interface OutsideReportsOptions {
  readonly bus: Bus;
  readonly ownership: OwnershipStore;
  readonly visits: VisitStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly cooldownMs: number;
  /** The camera that this instance runs; null: it does not. */
  readonly held: (streamId: string) => { report(detection: OutsideDetection): Promise<string> } | null;
  /** One was raised for a stopped stream, which no camera tells. */
  readonly onAlert: (alert: RaisedAlert) => void;
}

/** In JSON; the image travels beside it. */
interface ReportMessage extends Omit<OutsideDetection, 'image'> {
  readonly image: { readonly width: number; readonly height: number } | null;
}

/** A camera that is just being taken over is waited for so long, ms. */
const patienceMs = 5_000;
const askEveryMs = 100;
const answerWithinMs = 8_000;
const notHeld = 'stream_not_held';

export class OutsideReports {
  readonly #options: OutsideReportsOptions;
  /** By stopped stream, the last of those that were reported here: each takes the stream over, so they take turns. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: OutsideReportsOptions) {
    this.#options = options;
    options.bus.onRequest('report', async (message, bytes) => {
      const { image, ...detection } = message as ReportMessage;
      const camera = options.held(detection.streamId);
      if (!camera) throw new AppError(503, notHeld, 'This instance does not run the camera.');
      return { id: await camera.report({ ...detection, image: image && { ...image, data: bytes } }) };
    });
  }

  /** @param runs whether the stream is started by now. @returns the detection's id, once it is stored. */
  async report(detection: OutsideDetection, runs: () => boolean): Promise<string> {
    const { clock, held } = this.#options;
    const deadline = clock.now() + patienceMs;
    for (;;) {
      const here = held(detection.streamId);
      if (here) return here.report(detection);
      const id = runs() ? await this.#ask(detection) : await this.#inTurn(detection, runs);
      if (id !== null) return id;
      if (clock.now() > deadline)
        throw new AppError(
          503,
          'detections_unavailable',
          'No server runs this camera at the moment; try again.',
        );
      await new Promise<void>((resolve) => clock.after(askEveryMs, resolve));
    }
  }

  /** @returns null when nobody is known to run the camera, or not any more. */
  async #ask({ image, ...detection }: OutsideDetection): Promise<string | null> {
    const { bus, ownership } = this.#options;
    const owner = await ownership.owner(detection.streamId);
    if (!owner || owner.instance === bus.instance) return null;
    const message: ReportMessage = {
      ...detection,
      image: image && { width: image.width, height: image.height },
    };
    try {
      const bytes = image?.data ?? new Uint8Array();
      const reply = await bus.request(owner.instance, 'report', message, bytes, answerWithinMs);
      return (reply as { readonly id: string }).id;
    } catch (error) {
      if (error instanceof AppError && error.code === notHeld) return null;
      throw error;
    }
  }

  /** @returns null when it was started meanwhile, or taken over. */
  async #inTurn(detection: OutsideDetection, runs: () => boolean): Promise<string | null> {
    const { streamId } = detection;
    const before = this.#turns.get(streamId) ?? Promise.resolve();
    const own = before.then(() => (runs() ? null : this.#asOwner(detection)));
    const settled = own.catch(() => null);
    this.#turns.set(streamId, settled);
    try {
      return await own;
    } finally {
      if (this.#turns.get(streamId) === settled) this.#turns.delete(streamId);
    }
  }

  /** Whoever starts the stream now, or is asked as well, takes it over: then nothing was stored, and null is returned. */
  async #asOwner({ streamId, confidence, time, box, image }: OutsideDetection): Promise<string | null> {
    const { bus, ownership, visits, clock, log, cooldownMs, onAlert } = this.#options;
    const fence = await ownership.claim(streamId, bus.instance);
    if (!fence) throw streamNotFound();
    const stands = async () => (await ownership.owner(streamId))?.fence === fence.number;
    const faces = new CameraFaces({
      streamId,
      visits: visits.under({ fence, confirm: async () => {} }),
      clock,
      log,
      cooldownMs,
      confidenceThreshold: 0,
      shown: new Stream(),
    });
    faces.subscribe({ onAlert });
    try {
      const frame = image && { width: image.width, height: image.height };
      const images = image && { frame: image.data, face: null };
      return await faces.report({ confidence, box, landmarks: null, frame }, images, time);
    } catch (error) {
      if (await stands()) throw error;
      return null;
    } finally {
      // The alert is raised after the detection is stored.
      await faces.close(patienceMs);
    }
  }
}
