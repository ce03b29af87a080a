// What this instance tells the others of the cameras that it runs: states to all, media to those who want them.
// One camera's part is relayed-camera.ts's; what the others do with it is relay-receiver.ts's.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import type { LiveCamera, RaisedAlert } from '../stream/live-camera.ts';
import type { MediaBus } from './media-bus.ts';
import { membersOf, numberOr, readWant, topics, type Want } from './relay-messages.ts';
import { RelayedCamera, type RelayedCameraOptions } from './relayed-camera.ts';

export type { RelayedCamera, RelayedCameraOptions } from './relayed-camera.ts';

export interface RelaySenderOptions {
  readonly bus: MediaBus;
  readonly clock: Clock;
  readonly log: Log;
}

interface WantingInstance {
  readonly wants: Map<string, Want>;
  /** Seconds since it was heard of, counted only while this process runs. */
  silent: number;
}

interface ToldAlert {
  readonly alert: RaisedAlert;
  readonly at: number;
}

const coalesceMs = 50;
const repeatEveryMs = 2_000;
const checkEveryMs = 1_000;
const forgottenAfter = 6;
/** Cameras in one message. */
const statesAtOnce = 50;
/** Alerts told again to an instance that had lost the connection: so many, from so long before the loss. */
const alertsKept = 200;
const lossNoticedMs = 10_000;
const reportEveryMs = 10_000;

export class RelaySender {
  readonly #bus: MediaBus;
  readonly #clock: Clock;
  readonly #failed: Reporter;
  readonly #served = new Map<string, RelayedCamera>();
  readonly #instances = new Map<string, WantingInstance>();
  readonly #changed = new Set<RelayedCamera>();
  readonly #leave: (() => void)[];
  #alerts: ToldAlert[] = [];
  #cancelTell: (() => void) | null = null;
  #cancelRepeat: () => void;
  #cancelCheck: () => void;

  constructor({ bus, clock, log }: RelaySenderOptions) {
    this.#bus = bus;
    this.#clock = clock;
    this.#failed = new Reporter(clock, reportEveryMs, (count, err) =>
      log.error({ count, err }, 'the state of a camera could not be told to the other instances'),
    );
    this.#leave = [
      bus.subscribe(topics.wants, (message, _bytes, from) => this.#hear(from, message)),
      bus.subscribe(topics.statesAsked, (message) => this.#answer(message)),
      bus.onChange((up) => {
        if (up) this.#tell(this.#served.values());
      }),
    ];
    this.#cancelRepeat = clock.after(repeatEveryMs, () => this.#repeat());
    this.#cancelCheck = clock.after(checkEveryMs, () => this.#check());
  }

  /** Shows the camera to the other instances until it is closed. Another one of the same stream takes its place. */
  serve(camera: LiveCamera, options: RelayedCameraOptions): RelayedCamera {
    const { streamId } = options;
    this.#served.get(streamId)?.close();
    const relayed = new RelayedCamera(camera, options, {
      bus: this.#bus,
      clock: this.#clock,
      onChange: () => this.#change(relayed),
      onAlert: (alert) => this.tellAlert(alert),
      onClose: () => this.#remove(relayed),
    });
    this.#served.set(streamId, relayed);
    relayed.setWants(this.#wantsOf(streamId));
    this.#change(relayed);
    return relayed;
  }

  /** An alert that is stored, and so is true whoever holds the camera by now: every instance is told, maybe twice. */
  tellAlert(alert: RaisedAlert): void {
    this.#alerts.push({ alert, at: this.#clock.now() });
    if (this.#alerts.length > alertsKept) this.#alerts.shift();
    this.#bus.publishLasting(topics.alerts, { alert });
  }

  close(): void {
    for (const relayed of [...this.#served.values()]) relayed.close();
    for (const leave of this.#leave) leave();
    this.#cancelTell?.();
    this.#cancelRepeat();
    this.#cancelCheck();
  }

  #remove(relayed: RelayedCamera): void {
    if (this.#served.get(relayed.streamId) === relayed) this.#served.delete(relayed.streamId);
    this.#changed.delete(relayed);
  }

  #change(relayed: RelayedCamera): void {
    this.#changed.add(relayed);
    this.#cancelTell ??= this.#clock.after(coalesceMs, () => {
      this.#cancelTell = null;
      this.#tell(this.#changed);
      this.#changed.clear();
    });
  }

  #repeat(): void {
    this.#cancelRepeat = this.#clock.after(repeatEveryMs, () => this.#repeat());
    this.#tell(this.#served.values());
  }

  #tell(cameras: Iterable<RelayedCamera>): void {
    let states: object[] = [];
    for (const relayed of cameras) {
      const state = this.#stateOf(relayed);
      if (state) states.push(state);
      if (states.length < statesAtOnce) continue;
      this.#bus.publish(topics.states, { states });
      states = [];
    }
    if (states.length > 0) this.#bus.publish(topics.states, { states });
  }

  #stateOf(relayed: RelayedCamera): object | null {
    try {
      return relayed.state();
    } catch (error) {
      this.#failed.add(error);
      return null;
    }
  }

  #hear(from: string, message: unknown): void {
    const { all, wants } = membersOf(message);
    let instance = this.#instances.get(from);
    if (!instance) this.#instances.set(from, (instance = { wants: new Map(), silent: 0 }));
    instance.silent = 0;
    const told = membersOf(wants);
    const concerned = new Set(Object.keys(told));
    if (all === true) {
      for (const streamId of instance.wants.keys()) concerned.add(streamId);
      instance.wants.clear();
    }
    for (const [streamId, value] of Object.entries(told)) {
      const want = readWant(value);
      if (want) instance.wants.set(streamId, want);
      else instance.wants.delete(streamId);
    }
    for (const streamId of concerned) this.#update(streamId);
  }

  #update(streamId: string): void {
    this.#served.get(streamId)?.setWants(this.#wantsOf(streamId));
  }

  #wantsOf(streamId: string): Map<string, Want> {
    const wants = new Map<string, Want>();
    for (const [instance, { wants: of }] of this.#instances) {
      const want = of.get(streamId);
      if (want) wants.set(instance, want);
    }
    return wants;
  }

  /** Who was not heard of for a while wants nothing any more. */
  #check(): void {
    this.#cancelCheck = this.#clock.after(checkEveryMs, () => this.#check());
    for (const [name, instance] of this.#instances) {
      instance.silent += 1;
      if (instance.silent < forgottenAfter) continue;
      this.#instances.delete(name);
      for (const streamId of instance.wants.keys()) this.#update(streamId);
    }
  }

  /** An instance began, or has its connection back. */
  #answer(message: unknown): void {
    this.#tell(this.#served.values());
    const away = numberOr(membersOf(message).away, null);
    if (away === null) return;
    const since = this.#clock.now() - away - lossNoticedMs;
    this.#alerts = this.#alerts.filter(({ at }) => at > this.#clock.now() - 10 * 60_000);
    for (const { alert, at } of this.#alerts) if (at > since) this.#bus.publish(topics.alerts, { alert });
  }
}
