// Constructs the parts of the service and joins them: the only place that knows them all.
// No behaviour of its own beyond the order of opening and closing.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSecretKey, SecretBox } from './auth/secrets.ts';
import { systemClock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { Places } from './base/places.ts';
import { Camera, type CameraOptions } from './camera.ts';
import { CameraChecker } from './camera-check.ts';
import type { VisitStorePort } from './camera-faces.ts';
import { Cameras } from './cameras.ts';
import { CodecPool } from './codec/pool.ts';
import type { Config, ConfigError } from './config.ts';
import { AlertRepository } from './db/alerts.ts';
import { databaseFileName, openDatabase } from './db/database.ts';
import { DetectionRepository } from './db/detections.ts';
import { lockFolder } from './db/folder-lock.ts';
import { OwnershipRepository } from './db/ownership.ts';
import { StreamRepository } from './db/streams.ts';
import type { HeldCameras } from './http/metrics-ports.ts';
import { originOf } from './http/origin.ts';
import type { StreamService } from './http/ports.ts';
import { SavedRecordService } from './http/records-service.ts';
import { buildHttp } from './http/server.ts';
import { SavedStreamService } from './http/streams-service.ts';
import { openImageKeeping } from './image-keeping.ts';
import { AddressPolicy } from './ingest/address-policy.ts';
import type { InstanceLink } from './instance-link.ts';
import type { Instances } from './instances.ts';
import { LiveServer } from './live/server.ts';
import { formatCameraUrl } from './media/camera-url.ts';
import { channelOptions, listen, openLink, openSignIn, renewSeals } from './opening.ts';
import { PerformanceHistory, readCameras, readService } from './performance-history.ts';
import { VisitStore } from './visit-store.ts';

const publicDir = fileURLToPath(new URL('../web/dist/', import.meta.url));

/** A supervisor kills after ten seconds; whatever does not close by then is left to the system. */
const closeWithinMs = 4_500;
/** One of several instances hands its cameras over first. */
const handOverWithinMs = 20_000;

export interface App {
  /** As in `http://127.0.0.1:8000`. */
  readonly address: string;
  /** Makes the first user, once; null when there is one, or nobody has to sign in. */
  readonly setupLink: string | null;
  readonly streamService: StreamService;
  /** How many streams are saved. */
  streams(): number;
  /** Another server has taken the database meanwhile: this one must end, for this reason. */
  readonly excluded: Promise<ConfigError>;
  /** How long closing may take. */
  readonly closeWithinMs: number;
  /** Viewers are told, cameras torn down, what is under way is written; then everything is closed. */
  close(): Promise<void>;
}

/** @throws ConfigError when a part cannot start with these settings. */
export async function startApp(config: Config, log: Log): Promise<App> {
  // Closed in reverse order, at the end or as soon as something fails here: what was begun would keep a service alive
  // that serves nothing.
  await using opened = new AsyncDisposableStack();
  const clock = systemClock;
  // What is elsewhere is guarded there.
  if (!config.databaseUrl || !config.bucket) opened.defer(lockFolder(config.dataDir));
  const excluded = Promise.withResolvers<ConfigError>();
  const database = await openDatabase(config.databaseUrl ?? join(config.dataDir, databaseFileName), {
    use: config.redis ? 'shared' : 'alone',
    onExcluded: excluded.resolve,
  });
  opened.defer(() => database.close());
  const secretKey = loadSecretKey(config);
  const link = await openLink(config, { secretKey, clock, log });
  if (link) opened.defer(() => link.close());
  const auth = await openSignIn(config, { database, link, secretKey, clock, log });
  opened.defer(() => auth.close());
  const detections = new DetectionRepository(database.db);
  const alerts = new AlertRepository(database.db);
  const keeping = await openImageKeeping({ config, database, detections, clock, log });
  opened.defer(() => keeping.close());
  const images = keeping.store;
  const visits = new VisitStore({ detections, alerts, images, makeRoom: () => keeping.makeRoom(), log });
  const store = new StreamRepository(database.db, new SecretBox(secretKey, config.secretKeyFallbacks));
  const pool = new CodecPool({
    log,
    ...(config.modelsDir !== undefined && { modelsFolder: config.modelsDir }),
  });
  opened.defer(() => pool.close());
  const policy = new AddressPolicy({
    allowed: config.rtspAllowedNetworks,
    denied: config.rtspDeniedNetworks,
  });
  const places = new Places(config.maxViewers);
  // What every connection to a camera and every decoder goes by, those that only try a camera included.
  const video = { pool, channel: channelOptions(config), resolve: (host: string) => policy.resolve(host) };
  const parts = { clock, log, ...video, cooldownMs: config.alertCooldownSeconds * 1000 };
  const makeCamera = (options: CameraOptions, to: VisitStorePort) =>
    new Camera({ ...parts, visits: to }, options);
  const instances = link && (await openInstances(link));
  if (instances) opened.defer(() => instances.close());
  const cameras = new Cameras({
    clock,
    make: (options) => instances?.make(options) ?? makeCamera(options, visits),
    maxStreams: config.maxStreams,
    places,
    onOnline: (id, wallTime) => {
      store
        .setLastConnected(id, wallTime)
        .catch((error) => log.warn({ err: error }, 'last_connected not stored'));
    },
  });
  const records = new SavedRecordService({ detections, alerts, images, outside: cameras, log });
  const streams = new SavedStreamService({
    store,
    live: cameras,
    records,
    maxStreams: config.maxStreams,
    ...(instances && { onChange: (id: string) => instances.streamChanged(id) }),
  });
  const cameraChecks = new CameraChecker({
    ...video,
    onlineAt: (address) => cameras.onlineAt(address),
    saved: (id) => store.get(id),
  });
  const histories = new PerformanceHistory({
    clock,
    cameras: () => readCameras(cameras.allSaved()),
    service: () => readService(pool, places.taken),
  });
  const live = new LiveServer({
    cameras,
    clock,
    log,
    places,
    identityOf: (request) => request.identity ?? nobody(),
    follow: (identity, onEnd) => auth.authenticator.follow(identity, onEnd),
    ...(instances && { lookUp: (id: string) => streams.refresh(id) }),
    others: link?.bus,
    onAdHoc: (actor, address, request) =>
      auth.audit.record({
        action: 'watched_ad_hoc',
        actor,
        subject: formatCameraUrl(address, 'omit'),
        origin: originOf(request),
      }),
  });
  const http = await buildHttp({
    config,
    auth: { ...auth, mode: config.auth },
    log,
    streams,
    records,
    cameraChecks,
    histories,
    detectionFigures: () => cameras.detectionFigures(),
    metrics: instances ? instances.metrics : { heldCameras: heldBy(cameras) },
    checks: {
      database: () => database.check(),
      storage: () => images.check(),
      ...(instances && { instance: () => instances.check() }),
    },
    optionalChecks: {
      detector: () => cameras.checkDetector(),
      ...(instances && { redis: () => instances.checkRedis() }),
    },
    publicDir,
  });
  opened.defer(async () => {
    histories.stop();
    // Viewers first: the HTTP server waits for their sockets.
    await Promise.all([live.close().then(() => http.close()), cameras.close()]);
  });
  await live.register(http);
  await renewSeals(store, log);
  await streams.start();
  pool.warm();
  keeping.start();
  histories.start();
  const address = await listen(http, config);
  await instances?.start(streams);

  const setUpSecret = auth.setupLinkSecret();
  const running = opened.move();
  return {
    address,
    setupLink: setUpSecret === null ? null : `${address}/#setup=${setUpSecret}`,
    streamService: streams,
    streams: () => cameras.counts.saved,
    excluded: excluded.promise,
    closeWithinMs: closeWithinMs + (instances ? handOverWithinMs : 0),
    async close() {
      // While viewers here go on watching.
      await instances?.leave();
      await running.disposeAsync();
    },
  };

  async function openInstances(link: InstanceLink): Promise<Instances> {
    const { Instances } = await import('./instances.ts');
    return new Instances({
      config,
      link,
      ownership: new OwnershipRepository(database.db),
      visits,
      makeCamera,
      saved: () => cameras.counts.saved,
      clock,
      log,
    });
  }
}

/** Without other instances, all that is started is run here. */
function heldBy(cameras: Cameras): HeldCameras {
  return {
    get held() {
      return cameras.running.held;
    },
    get seconds() {
      return cameras.running.total / 1000;
    },
    heldHere: () => true,
  };
}

/** The hooks of the HTTP server refuse those whom nobody knows before a socket is opened. */
function nobody(): never {
  throw new Error('a WebSocket was opened without an identity');
}
