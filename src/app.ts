// Constructs the parts of the service and joins them: the only place that knows them all.
// No behaviour of its own beyond the order of opening and closing.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { type Auth, createAuth } from './auth/auth.ts';
import { loadSecretKey, SecretBox } from './auth/secrets.ts';
import { type Clock, systemClock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { Places } from './base/places.ts';
import { Camera } from './camera.ts';
import { CameraChecker } from './camera-check.ts';
import { Cameras } from './cameras.ts';
import type { ChannelOptions } from './codec/messages.ts';
import { CodecPool } from './codec/pool.ts';
import { type Config, ConfigError } from './config.ts';
import { AlertRepository } from './db/alerts.ts';
import { ApiTokenRepository } from './db/api-tokens.ts';
import { AuditRepository } from './db/audit.ts';
import { type Database, databaseFileName, openDatabase } from './db/database.ts';
import { DetectionRepository } from './db/detections.ts';
import { lockFolder } from './db/folder-lock.ts';
import { SessionRepository } from './db/sessions.ts';
import { StreamRepository } from './db/streams.ts';
import { UserRepository } from './db/users.ts';
import { originOf } from './http/origin.ts';
import type { StreamService } from './http/ports.ts';
import { SavedRecordService } from './http/records-service.ts';
import { buildHttp } from './http/server.ts';
import { SavedStreamService } from './http/streams-service.ts';
import { AddressPolicy } from './ingest/address-policy.ts';
import { LiveServer } from './live/server.ts';
import { formatCameraUrl } from './media/camera-url.ts';
import { PerformanceHistory, readCameras, readService } from './performance-history.ts';
import { FolderImageStore } from './storage/folder.ts';
import { Retention } from './storage/retention.ts';
import { sweepOrphans } from './storage/sweep.ts';
import { VisitStore } from './visit-store.ts';

const publicDir = fileURLToPath(new URL('../web/dist/', import.meta.url));

export interface App {
  /** As in `http://127.0.0.1:8000`. */
  readonly address: string;
  /** Makes the first user, once; null when there is one, or nobody has to sign in. */
  readonly setupLink: string | null;
  readonly streamService: StreamService;
  /** How many streams are saved. */
  streams(): number;
  /** Viewers are told, cameras torn down, what is under way is written; then everything is closed. */
  close(): Promise<void>;
}

/** @throws ConfigError when a part cannot start with these settings. */
export async function startApp(config: Config, log: Log): Promise<App> {
  // Closed in reverse order, at the end or as soon as something fails here: what was begun would keep a service alive
  // that serves nothing.
  await using opened = new AsyncDisposableStack();
  const clock = systemClock;
  if (config.redis ?? config.databaseUrl ?? config.bucket)
    throw new ConfigError('REDIS_URL, DATABASE_URL, STORAGE_URL', 'are not supported yet; leave them empty.');
  opened.defer(lockFolder(config.dataDir));
  const database = await openDatabase(join(config.dataDir, databaseFileName));
  opened.defer(() => database.close());
  const secretKey = loadSecretKey(config);
  const auth = await openSignIn(config, { database, secretKey, clock, log });
  opened.defer(() => auth.close());
  const detections = new DetectionRepository(database.db);
  const alerts = new AlertRepository(database.db);
  const images = new FolderImageStore(join(config.dataDir, 'media'));
  const retention = new Retention({
    limits: { days: config.detectionRetentionDays, bytes: config.storageLimitGb * 1e9 },
    rows: detections,
    store: images,
    clock,
    onTrouble: (error) => log.warn({ err: error }, 'old detections cannot be removed at the moment'),
  });
  opened.defer(() => retention.stop());
  const visits = new VisitStore({ detections, alerts, images, makeRoom: () => retention.makeRoom(), log });
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
  const parts = { clock, log, ...video, visits, cooldownMs: config.alertCooldownSeconds * 1000 };
  const cameras = new Cameras({
    clock,
    make: (options) => new Camera(parts, options),
    maxStreams: config.maxStreams,
    places,
    onOnline: (id, wallTime) => {
      store
        .setLastConnected(id, wallTime)
        .catch((error) => log.warn({ err: error }, 'last_connected not stored'));
    },
  });
  const records = new SavedRecordService({ detections, alerts, images, outside: cameras, log });
  const streams = new SavedStreamService({ store, live: cameras, records, maxStreams: config.maxStreams });
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
    checks: { database: () => database.check(), storage: () => images.check() },
    optionalChecks: { detector: () => cameras.checkDetector() },
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
  retention.start();
  histories.start();
  cleanUp(images, detections, clock, log);
  const address = await listen(http, config);

  const setUpSecret = auth.setupLinkSecret();
  const running = opened.move();
  return {
    address,
    setupLink: setUpSecret === null ? null : `${address}/#setup=${setUpSecret}`,
    streamService: streams,
    streams: () => cameras.counts.saved,
    close: () => running.disposeAsync(),
  };
}

function channelOptions(config: Config): ChannelOptions {
  return {
    picture: { ...config.frameSize, fps: config.frameRate, quality: config.jpegQuality },
    faces: {
      ...config.frameSize,
      fps: config.detectionFps,
      minFaceSize: config.minFaceSize,
      ...(config.detectionPause && { pause: config.detectionPause }),
      ...(config.modelsDir !== undefined && { modelsFolder: config.modelsDir }),
    },
  };
}

function openSignIn(
  config: Config,
  { database, ...parts }: { database: Database; secretKey: string; clock: Clock; log: Log },
): Promise<Auth> {
  const { adminUsername: username, adminPassword: password } = config;
  return createAuth({
    users: new UserRepository(database.db),
    sessions: new SessionRepository(database.db),
    apiTokens: new ApiTokenRepository(database.db),
    audit: new AuditRepository(database.db),
    fallbacks: config.secretKeyFallbacks,
    mode: config.auth,
    ...(username !== undefined && password !== undefined && { firstAdmin: { username, password } }),
    ...parts,
  });
}

/** The hooks of the HTTP server refuse those whom nobody knows before a socket is opened. */
function nobody(): never {
  throw new Error('a WebSocket was opened without an identity');
}

/** After a change of `SECRET_KEY`: what a former key sealed gets the current one, what no key opens is told by name. */
async function renewSeals(store: StreamRepository, log: Log): Promise<void> {
  const { resealed, locked } = await store.reseal();
  if (resealed > 0)
    log.info({ streams: resealed }, 'camera passwords sealed with a former SECRET_KEY are sealed anew');
  if (locked.length > 0)
    log.error(
      { cameras: locked },
      `the passwords of ${locked.length} cameras were sealed with another SECRET_KEY: give it in SECRET_KEY_FALLBACKS, or enter these passwords again`,
    );
}

async function listen(http: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await http.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new ConfigError('PORT', `${port} is in use by another program on ${host}; choose another.`);
    if (code === 'EACCES')
      throw new ConfigError('PORT', `${port} may not be opened by this user; choose one from 1024 on.`);
    if (code === 'EADDRNOTAVAIL') throw new ConfigError('HOST', `${host} is no address of this machine.`);
    throw error;
  }
}

/** Images that a crash left without a row are younger than this while they are still being written. */
const orphanAgeMs = 10 * 60_000;

/** Beside everything else: the service does not wait for it. */
function cleanUp(images: FolderImageStore, detections: DetectionRepository, clock: Clock, log: Log): void {
  const known = (names: readonly string[]) => detections.knownImages(names);
  const swept = async () => {
    await images.open();
    const removed = await sweepOrphans(images, { before: clock.wallTime() - orphanAgeMs, known });
    if (removed > 0) log.info({ removed }, 'images of interrupted writes removed');
  };
  swept().catch((error) => log.warn({ err: error }, 'the image folder could not be swept'));
}
