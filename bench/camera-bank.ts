// The simulated cameras of a measurement, in a process of their own, and when each of their frames was sent.
// What a camera is and does is in simulator/.

import type { CameraStats } from '../simulator/camera.ts';
import { type ForkedSimulator, forkSimulator } from '../simulator/fork.ts';

export interface CameraBankOptions {
  /** How many, each H.264 640×480 at 15 frames a second, a keyframe every 2 s. */
  readonly cameras: number;
  /** Other than that, of every one of them; the keyframes stay 30 frames apart. */
  readonly video?: { readonly width: number; readonly height: number; readonly fps: number };
}

const framesPerKeyframe = 30;

const pathOf = (camera: number) => `/cam${camera}`;

/** The sending times known at one moment: every frame of the clip, the last time it was sent. */
export class Sendings {
  readonly #times: readonly Float64Array[];

  constructor(times: readonly Float64Array[]) {
    this.#times = times;
  }

  /**
   * When a frame seen at `seenAt` was sent, ms of `epochNow`; null when it was not, or sent again since. To be asked
   * within the 30 s that the clip lasts.
   */
  sentAt(camera: number, counter: number, seenAt: number): number | null {
    const sent = this.#times[camera]?.[counter];
    return sent && sent <= seenAt ? sent : null;
  }

  /** The first keyframe that was sent after `moment`; null when there was none. */
  keyframeAfter(camera: number, moment: number): number | null {
    const keyframes = this.#times[camera]?.filter((_, index) => index % framesPerKeyframe === 0) ?? [];
    const after = [...keyframes].filter((sent) => sent >= moment);
    return after.length === 0 ? null : Math.min(...after);
  }
}

export class CameraBank {
  readonly urls: readonly string[];
  readonly #simulator: ForkedSimulator;

  private constructor(simulator: ForkedSimulator, count: number) {
    this.#simulator = simulator;
    this.urls = Array.from({ length: count }, (_, camera) => simulator.url(pathOf(camera)));
  }

  static async start({ cameras, video }: CameraBankOptions): Promise<CameraBank> {
    const clip = { ...video, gopSeconds: framesPerKeyframe / (video?.fps ?? 15) };
    const specs = Array.from({ length: cameras }, (_, camera) => ({ path: pathOf(camera), clip }));
    return new CameraBank(await forkSimulator({ cameras: specs }), cameras);
  }

  get pid(): number {
    return this.#simulator.pid;
  }

  async sendings(): Promise<Sendings> {
    const times = this.urls.map((_, camera) => this.#simulator.camera(pathOf(camera)).sentTimes());
    return new Sendings(await Promise.all(times));
  }

  stats(camera: number): Promise<CameraStats> {
    return this.#simulator.camera(pathOf(camera)).stats();
  }

  async stop(): Promise<void> {
    await this.#simulator.kill();
  }
}
