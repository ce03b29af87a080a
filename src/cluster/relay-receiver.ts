// What this instance knows of cameras that others run: their states, whether their owners answer, what is wanted of them here.
// What viewers see of one camera is followed-camera.ts's.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Reporter } from '../base/reporter.ts';
import { FollowedCamera } from './followed-camera.ts';
import type { MediaBus } from './media-bus.ts';
import { membersOf, readAlert, readState, type ToldState, topics, wantJson } from './relay-messages.ts';

export type { FollowedCamera } from './followed-camera.ts';

export interface RelayReceiverOptions {
  readonly bus: MediaBus;
  readonly clock: Clock;
  readonly log: Log;
}

interface Known {
  /** The highest seen: what comes with a lower one was said by a former owner. */
  fence: number;
  /** Null: let go, or never told. */
  state: ToldState | null;
  /** Checks since the owner was heard of, which are counted only while this process runs. */
  silent: number;
}

const checkEveryMs = 500;
/** Checks: six seconds. */
const silentAfter = 12;
/** Checks: ten minutes after which a camera that nobody follows is forgotten. */
const forgottenAfter = 1_200;
const tellEveryMs = 2_000;
const coalesceMs = 5;
const reportEveryMs = 10_000;

const ownerSilent = 'The server that holds this camera does not answer; another one takes over.';
const busLost = 'The connection between the servers is lost; coming back by itself.';

export class RelayReceiver {
  readonly #bus: MediaBus;
  readonly #clock: Clock;
  readonly #failed: Reporter;
  readonly #known = new Map<string, Known>();
  readonly #followed = new Map<string, FollowedCamera>();
  /** Streams of which something else is wanted than was told. */
  readonly #changed = new Set<string>();
  readonly #leave: (() => void)[];
  #lostAt: number | null = null;
  #cancelTell: (() => void) | null = null;
  #cancelRepeat: () => void;
  #cancelCheck: () => void;
  #closed = false;

  constructor({ bus, clock, log }: RelayReceiverOptions) {
    this.#bus = bus;
    this.#clock = clock;
    this.#failed = new Reporter(clock, reportEveryMs, (count, err) =>
      log.error({ count, err }, 'a reader of a camera of another instance failed'),
    );
    this.#leave = [
      bus.subscribe(
        topics.states,
        (message) => this.#takeStates(message),
        // Those told before are not waited for.
        () => this.#askForStates(),
      ),
      bus.subscribe(topics.alerts, (message) => this.#takeAlert(message)),
      bus.subscribe(topics.beginnings(bus.instance), (message, bytes) => {
        this.#followed.get(String(membersOf(message).id))?.takeBeginning(message, bytes);
      }),
      bus.onChange((up) => this.#changeBus(up)),
    ];
    this.#cancelRepeat = clock.after(tellEveryMs, () => this.#repeat());
    this.#cancelCheck = clock.after(checkEveryMs, () => this.#check());
  }

  /** The camera as another instance shows it. One for each stream: the one before is not fed any more. */
  follow(streamId: string): FollowedCamera {
    const camera: FollowedCamera = new FollowedCamera(streamId, {
      bus: this.#bus,
      clock: this.#clock,
      onWant: () => this.#want(streamId),
      holds: (fence) => this.#holds(streamId, fence),
      onClose: () => {
        if (this.#followed.get(streamId) === camera) this.#followed.delete(streamId);
        this.#want(streamId);
      },
      onReaderError: (error) => this.#failed.add(error),
    });
    this.#followed.get(streamId)?.close();
    this.#followed.set(streamId, camera);
    camera.take(this.#known.get(streamId)?.state ?? null);
    this.#judge(streamId, camera);
    return camera;
  }

  /** Nothing is wanted any more. */
  close(): void {
    this.#closed = true;
    for (const camera of [...this.#followed.values()]) camera.close();
    this.#bus.publish(topics.wants, { all: true, wants: {} });
    for (const leave of this.#leave) leave();
    this.#cancelTell?.();
    this.#cancelRepeat();
    this.#cancelCheck();
  }

  #knownOf(streamId: string): Known {
    let known = this.#known.get(streamId);
    if (!known) this.#known.set(streamId, (known = { fence: 0, state: null, silent: 0 }));
    return known;
  }

  #holds(streamId: string, fence: number): boolean {
    const known = this.#knownOf(streamId);
    if (fence < known.fence) return false;
    known.fence = fence;
    known.silent = 0;
    return true;
  }

  #takeStates(message: unknown): void {
    const { states } = membersOf(message);
    if (!Array.isArray(states)) return;
    for (const told of states) {
      const state = readState(told);
      if (state && this.#holds(state.id, state.fence)) this.#takeState(state);
    }
  }

  #takeState(state: ToldState): void {
    const known = this.#knownOf(state.id);
    known.state = state.gone ? null : state;
    const camera = this.#followed.get(state.id);
    if (!camera) return;
    camera.take(known.state);
    this.#judge(state.id, camera);
  }

  #takeAlert(message: unknown): void {
    const alert = readAlert(membersOf(message).alert);
    if (alert) this.#followed.get(alert.streamId)?.faces.alert(alert);
  }

  /** What is to be shown: what was told, unless there is no hearing of it. */
  #judge(streamId: string, camera: FollowedCamera): void {
    const known = this.#known.get(streamId);
    if (!this.#bus.up) camera.show('reconnecting', busLost);
    else if (!known?.state) camera.show('offline', null);
    else if (known.silent >= silentAfter) camera.show('reconnecting', ownerSilent);
    else camera.show(known.state.status, known.state.message);
  }

  #check(): void {
    this.#cancelCheck = this.#clock.after(checkEveryMs, () => this.#check());
    for (const [streamId, known] of this.#known) {
      known.silent += 1;
      if (known.silent > forgottenAfter && !this.#followed.has(streamId)) this.#known.delete(streamId);
    }
    for (const [streamId, camera] of this.#followed) {
      camera.check();
      this.#judge(streamId, camera);
    }
  }

  #changeBus(up: boolean): void {
    if (up) {
      this.#askForStates();
      this.#tellWants(true);
    } else this.#lostAt ??= this.#clock.now();
    for (const [streamId, camera] of this.#followed) this.#judge(streamId, camera);
  }

  #askForStates(): void {
    if (!this.#bus.up) return;
    const away = this.#lostAt === null ? null : this.#clock.now() - this.#lostAt;
    this.#lostAt = null;
    // Alerts of that time are told again.
    this.#bus.publish(topics.statesAsked, away === null ? {} : { away });
  }

  #want(streamId: string): void {
    if (this.#closed) return;
    this.#changed.add(streamId);
    this.#cancelTell ??= this.#clock.after(coalesceMs, () => {
      this.#cancelTell = null;
      this.#tellWants(false);
    });
  }

  #repeat(): void {
    this.#cancelRepeat = this.#clock.after(tellEveryMs, () => this.#repeat());
    this.#tellWants(true);
  }

  /** @param all once more what was told before. */
  #tellWants(all: boolean): void {
    const wants: Record<string, unknown> = {};
    for (const streamId of all ? this.#followed.keys() : this.#changed) {
      const want = this.#followed.get(streamId)?.want ?? null;
      if (want || !all) wants[streamId] = wantJson(want);
    }
    this.#changed.clear();
    this.#bus.publish(topics.wants, { all, wants });
  }
}
