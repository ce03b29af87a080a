// This process as one of several instances of the service: the cameras it holds, those it follows, what it tells the others.
// Who holds what is decided in cluster/; how one camera is shown wherever it runs, in shared-camera.ts.

import packageJson from '../package.json' with { type: 'json' };
import { adHocLimits } from './ad-hoc-cameras.ts';
import { AdHocHolding } from './ad-hoc-holding.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Camera, CameraOptions } from './camera.ts';
import type { VisitStorePort } from './camera-faces.ts';
import { Assignment } from './cluster/assignment.ts';
import type { CameraRunner, Lease, OwnershipStore, ReleaseReason } from './cluster/ports.ts';
import { RelayReceiver } from './cluster/relay-receiver.ts';
import { RelaySender } from './cluster/relay-sender.ts';
import { Repeated } from './cluster/repeated.ts';
import type { Config } from './config.ts';
import type { ClusterFigures, HeldCameras } from './http/metrics-ports.ts';
import type { InstanceLink } from './instance-link.ts';
import { OutsideReports } from './outside-reports.ts';
import { SharedCamera } from './shared-camera.ts';
import type { RaisedAlert } from './stream/live-camera.ts';
import { toldOf } from './told-camera.ts';
import type { VisitStore } from './visit-store.ts';

/** The saved streams, as the rest of the service keeps them. */
export interface SharedStreams {
  refresh(id: string, changed?: boolean): Promise<void>;
  refreshAll(): Promise<void>;
}

export interface InstancesOptions {
  readonly config: Config;
  readonly link: InstanceLink;
  readonly ownership: OwnershipStore;
  /** How many streams are saved. */
  readonly saved: () => number;
  readonly visits: VisitStore;
  /** A camera to be run here, whose visits go there. */
  readonly makeCamera: (options: CameraOptions, visits: VisitStorePort) => Camera;
  readonly clock: Clock;
  readonly log: Log;
}

/** To the other instances: the id of a stream that was created, changed or deleted. */
const streamsTopic = 'streams';
const refreshEveryMs = 30_000;
/** An alert that a lost instance has stored and not told is no older, ms. */
const untoldAlertMs = 15_000;

export class Instances {
  readonly #options: InstancesOptions;
  readonly #assignment: Assignment;
  readonly #sender: RelaySender;
  readonly #receiver: RelayReceiver;
  readonly #reports: OutsideReports;
  /** Of saved streams, by id. */
  readonly #cameras = new Map<string, SharedCamera>();
  readonly #wanted = new Set<string>();
  /** Of those that are not saved, by id: when the newest is gone, and its right to run with it. */
  readonly #adHocGone = new Map<string, Promise<void>>();
  readonly #leases = new Map<string, Lease>();
  #streams: SharedStreams | null = null;
  readonly #leave: (() => void)[] = [];
  #leaving = false;

  constructor(options: InstancesOptions) {
    this.#options = options;
    const { config, ownership, visits, clock, log } = options;
    const { bus } = options.link;
    this.#sender = new RelaySender({ bus, clock, log });
    this.#receiver = new RelayReceiver({ bus, clock, log });
    const runner: CameraRunner = {
      hold: (streamId, lease) => this.#hold(streamId, lease),
      release: (streamId, reason) => this.#release(streamId, reason),
      viewers: (streamId) => this.#cameras.get(streamId)?.viewers ?? 0,
    };
    this.#assignment = new Assignment({
      redis: config.redis!,
      bus,
      name: config.instanceName,
      capacity: config.instanceCapacity,
      version: packageJson.version,
      ownership,
      runner,
      wanted: () => this.#wanted,
      learn: async (streamId) => this.#streams?.refresh(streamId),
      clock,
      log,
    });
    this.#reports = new OutsideReports({
      bus,
      ownership,
      visits,
      clock,
      log,
      cooldownMs: config.alertCooldownSeconds * 1000,
      held: (streamId) => {
        const camera = this.#cameras.get(streamId);
        return camera?.isHeld ? camera : null;
      },
      onAlert: (alert) => this.#announce(alert),
    });
  }

  /** For the directory: a camera that runs where the instances agree on. */
  make(options: CameraOptions): SharedCamera {
    return options.id === null ? this.#makeAdHoc(options) : this.#makeSaved(options.id, options);
  }

  /** A stream was created, changed or deleted here. */
  streamChanged(id: string): void {
    this.#options.link.bus.publishLasting(streamsTopic, { id });
  }

  /** From now on this instance takes part. */
  async start(streams: SharedStreams): Promise<void> {
    this.#streams = streams;
    const { link, clock, log } = this.#options;
    const { bus } = link;
    const told = (error: unknown) => log.warn({ err: error }, 'streams cannot be read anew at the moment');
    const refreshing = new Repeated(clock, async () => {
      await streams.refreshAll().catch(told);
      return refreshEveryMs * (0.75 + Math.random() / 2);
    });
    this.#leave.push(
      bus.subscribe(streamsTopic, (message) => {
        const { id } = (message ?? {}) as { readonly id?: unknown };
        if (typeof id === 'string') streams.refresh(id, true).catch(told);
      }),
      bus.onChange((up) => {
        if (up) streams.refreshAll().catch(told);
      }),
      () => void refreshing.close(),
    );
    // The first time at once: what was told before this instance listened is known as well.
    refreshing.start();
    await this.#assignment.start();
  }

  /** Hands the cameras over, one after the other, while viewers here go on watching them. */
  async leave(): Promise<void> {
    this.#leaving = true;
    await this.#assignment.leave();
  }

  async close(): Promise<void> {
    for (const leave of this.#leave) leave();
    await this.#assignment.close();
    this.#sender.close();
    this.#receiver.close();
  }

  /** Rejects while this instance leaves: no new viewer is to be sent to it. */
  async check(): Promise<void> {
    if (this.#leaving) throw new Error('This instance is leaving.');
  }

  /** Rejects when Redis does not answer: what runs here goes on, and what runs elsewhere is not to be seen here. */
  async checkRedis(): Promise<void> {
    await this.#assignment.check();
  }

  get metrics(): { readonly heldCameras: HeldCameras; readonly cluster: () => ClusterFigures } {
    const assignment = this.#assignment;
    return {
      heldCameras: {
        get held() {
          return assignment.figures.held;
        },
        get seconds() {
          return assignment.figures.cameraSeconds;
        },
        heldHere: (streamId) => this.#cameras.get(streamId)?.isHeld ?? false,
      },
      cluster: () => {
        const { capacity, waiting, instances } = assignment.figures;
        return { capacity, waiting, instances: instances.length, relay: this.#options.link.bus.figures };
      },
    };
  }

  /** Cameras that end with this process are to run elsewhere, so that their jobs stay as they are. */
  get #takesPart(): boolean {
    return this.#streams !== null && !this.#leaving;
  }

  #makeSaved(id: string, options: CameraOptions): SharedCamera {
    const camera = new SharedCamera(
      {
        clock: this.#options.clock,
        followed: this.#receiver.follow(id),
        reportElsewhere: (detection) => this.#reports.report(detection, () => this.#wanted.has(id)),
        onWanted: (wanted) => {
          if (wanted) this.#wanted.add(id);
          else this.#wanted.delete(id);
          if (this.#takesPart) this.#assignment.changed(id);
        },
        onClosed: () => {
          if (this.#cameras.get(id) === camera) this.#cameras.delete(id);
        },
      },
      options,
    );
    this.#cameras.set(id, camera);
    const lease = this.#leases.get(id);
    if (lease) this.#run(camera, id, lease);
    return camera;
  }

  #makeAdHoc(options: CameraOptions): SharedCamera {
    const { config, clock, log, link, saved, visits, makeCamera } = this.#options;
    const id = link.adHoc.id(options.address);
    const gone = Promise.withResolvers<void>();
    const after = this.#adHocGone.get(id) ?? Promise.resolve();
    this.#adHocGone.set(id, gone.promise);
    const holding = new AdHocHolding({
      leases: link.adHoc,
      id,
      openedBy: options.openedBy ?? null,
      limits: () => adHocLimits(config.maxStreams - saved()),
      log,
      after,
      hold: (camera, lease) =>
        camera.hold(
          (own) => makeCamera(own, visits),
          (own) => this.#sender.serve(own, { streamId: id, lease, details: () => toldOf(own) }),
        ),
    });
    const camera = new SharedCamera(
      {
        clock,
        followed: this.#receiver.follow(id),
        reportElsewhere: (detection) => this.#reports.report(detection, () => false),
        onWanted: (wanted) => holding.want(wanted),
        onClosed: () => {
          gone.resolve(holding.settled);
          void gone.promise.then(() => {
            if (this.#adHocGone.get(id) === gone.promise) this.#adHocGone.delete(id);
          });
        },
      },
      options,
    );
    holding.of(camera);
    return camera;
  }

  #hold(streamId: string, lease: Lease): void {
    this.#leases.set(streamId, lease);
    const camera = this.#cameras.get(streamId);
    if (camera) this.#run(camera, streamId, lease);
    // Created by another instance a moment ago: it is held as soon as it is known here.
    else
      this.#streams
        ?.refresh(streamId)
        .catch((error) => this.#options.log.warn({ err: error }, 'a stream cannot be read at the moment'));
  }

  #run(camera: SharedCamera, streamId: string, lease: Lease): void {
    const { link, visits, makeCamera, clock, log } = this.#options;
    camera.hold(
      (options) => makeCamera(options, visits.under(lease)),
      (own) => {
        const relayed = this.#sender.serve(own, { streamId, lease, details: () => toldOf(own) });
        // After the one above, and so when it is on its way.
        own.faces.subscribe({ onAlert: ({ alertId }) => void link.toldAlerts.note(alertId) });
        return relayed;
      },
    );
    // Whoever held it before may have died between storing an alert and telling it.
    visits
      .lastAlert(streamId, untoldAlertMs, clock.wallTime())
      .then(async (alert) => {
        if (alert && !(await link.toldAlerts.has(alert.alertId))) this.#announce(alert);
      })
      .catch((error) => log.warn({ err: error }, 'the last alert cannot be read at the moment'));
  }

  async #release(streamId: string, reason: ReleaseReason): Promise<void> {
    this.#leases.delete(streamId);
    await this.#cameras.get(streamId)?.release(reason !== 'lost');
  }

  /** Here and everywhere: nobody is told twice. */
  #announce(alert: RaisedAlert): void {
    this.#cameras.get(alert.streamId)?.faces.alert(alert);
    this.#sender.tellAlert(alert);
    void this.#options.link.toldAlerts.note(alert.alertId);
  }
}
