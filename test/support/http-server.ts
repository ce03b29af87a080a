// For tests of the REST side: the real server on a free port, over real database and images, with cameras that only record.
// What the cameras and the alert policy really do is tested with the whole service.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Auth, createAuth } from '../../src/auth/auth.ts';
import { SecretBox } from '../../src/auth/secrets.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Role } from '../../src/base/identity.ts';
import { createLog } from '../../src/base/log.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { AlertRepository } from '../../src/db/alerts.ts';
import { ApiTokenRepository } from '../../src/db/api-tokens.ts';
import { AuditRepository } from '../../src/db/audit.ts';
import { openDatabase } from '../../src/db/database.ts';
import { DetectionRepository } from '../../src/db/detections.ts';
import { newId } from '../../src/db/id.ts';
import { SessionRepository } from '../../src/db/sessions.ts';
import { StreamRepository } from '../../src/db/streams.ts';
import { UserRepository } from '../../src/db/users.ts';
import { AppError, CameraError } from '../../src/errors.ts';
import type { LiveState, LiveStreams } from '../../src/http/ports.ts';
import type { DetectionFigures, OutsideDetection, OutsideDetections } from '../../src/http/record-ports.ts';
import { SavedRecordService } from '../../src/http/records-service.ts';
import { buildHttp, type HttpDependencies } from '../../src/http/server.ts';
import { SavedStreamService } from '../../src/http/streams-service.ts';
import type { Picture } from '../../src/media/access-unit.ts';
import type { SavedStream } from '../../src/media/saved-stream.ts';
import { PerformanceHistory } from '../../src/performance-history.ts';
import { FolderImageStore } from '../../src/storage/folder.ts';
import { type Account, bearer, newAccount, type SignedIn } from './service.ts';

/** Stands where the running cameras are: remembers what it was told, and gives the pictures a test shows it. */
export class RecordedCameras implements LiveStreams {
  readonly saved = new Map<string, SavedStream>();
  readonly readers = new Map<string, Set<(picture: Picture) => boolean>>();
  readonly told: string[] = [];
  /** Why no camera gives a picture; null: they are well. */
  trouble: CameraError | AppError | null = null;

  add(saved: SavedStream): void {
    this.told.push(`add ${saved.wanted}`);
    this.saved.set(saved.id, saved);
  }

  change(saved: SavedStream): void {
    this.told.push(`change ${saved.wanted}`);
    this.saved.set(saved.id, saved);
  }

  async remove(id: string): Promise<void> {
    this.told.push('remove');
    this.saved.delete(id);
  }

  state(id: string): LiveState {
    const running = this.saved.get(id)?.wanted === 'running';
    return {
      status: running ? 'online' : 'offline',
      lastConnected: running ? '2026-01-02T03:04:05.000Z' : null,
      lastError: this.trouble?.message ?? null,
      video: running ? { codec: 'h264', width: 640, height: 480, fps: 15 } : null,
      viewers: this.readers.get(id)?.size ?? 0,
      stats: {
        current_fps: 14.9,
        avg_processing_time: 2.5,
        avg_detection_time: 0,
        total_frames: 1234,
        total_detections: 0,
        detection: { frames_analysed: 0, frames_skipped: 0, backlog: 0, faces: 0, tracks: 0, alerts: 0 },
        uptime: 82.3,
        latency_ms: 3,
        dropped_frames: 0,
        bitrate_kbps: 800,
        packets: 5000,
        lost_packets: 1,
        reconnects: 0,
        transport: 'tcp',
        decoders: 1,
        pictures: 0,
        audio: { listeners: 0, transcoders: 0, units: 0, dropped: 0 },
      },
    };
  }

  snapshot(id: string, timeoutMs: number): Promise<Picture> {
    if (this.trouble) return Promise.reject(this.trouble);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        end();
        reject(new CameraError('no_picture'));
      }, timeoutMs);
      const end = this.watch(id, null, (picture) => {
        clearTimeout(timer);
        end();
        resolve(picture);
        return true;
      });
    });
  }

  watch(id: string, _fps: number | null, onPicture: (picture: Picture) => boolean): () => void {
    const readers = this.readers.get(id) ?? new Set();
    this.readers.set(id, readers.add(onPicture));
    return () => readers.delete(onPicture);
  }

  /** @returns how many readers took it. */
  show(id: string, data: Uint8Array): number {
    const picture: Picture = { data, width: 640, height: 480, timestamp: 0, receivedAt: performance.now() };
    return [...(this.readers.get(id) ?? [])].filter((read) => read(picture)).length;
  }
}

/** Stands where the alert policy is: each detection raises an alert, and its image is the face as well. */
export class AlarmedAtEverything implements OutsideDetections {
  readonly #detections: DetectionRepository;
  readonly #alerts: AlertRepository;
  readonly #images: FolderImageStore;

  constructor(detections: DetectionRepository, alerts: AlertRepository, images: FolderImageStore) {
    this.#detections = detections;
    this.#alerts = alerts;
    this.#images = images;
  }

  async report({ streamId, confidence, box, image, time: at }: OutsideDetection): Promise<string> {
    const [id, time] = [newId(), at ?? Date.now()];
    const images = image && {
      frame: await this.#images.put(image.data),
      face: await this.#images.put(image.data),
    };
    const sighting = { confidence, box, landmarks: null, frame: image };
    const outcome = await this.#detections.insert({ id, streamId, sighting, time, lastSeen: time, images });
    if (outcome === 'stream_gone')
      throw new AppError(404, 'stream_not_found', 'There is no stream with this id.');
    const alert = { id: newId(), streamId, detectionId: id, confidence, time, raisedAt: time };
    await this.#alerts.raise(alert);
    return id;
  }
}

const noCosts = { cpuMs: 0, memory: 0, workers: { cpu: 0, memory: 0 }, viewers: 0 };

/** In the data folder. */
export const testDatabaseFile = 'test.sqlite';

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly base: string;
  readonly cameras: RecordedCameras;
  readonly images: FolderImageStore;
  /** What /metrics shows of the detector. */
  readonly figures: { -readonly [Name in keyof DetectionFigures]: number };
  readonly dataDir: string;
  /** Every line logged so far. */
  readonly log: string[];
  readonly config: Config;
  readonly auth: Auth;
}

export interface TestServerOptions {
  /** Settings beside the defaults of a test: no sign-in (`AUTH=off`). */
  readonly env?: Record<string, string>;
  /** Kept after the server is disposed of; a fresh folder that is removed by default. */
  readonly dataDir?: string;
  readonly http?: Partial<HttpDependencies>;
  readonly snapshotTimeoutMs?: number;
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'rtsp-viewer-http-')));
  const publicDir = await mkdtemp(join(tmpdir(), 'rtsp-viewer-public-'));
  await writeFile(join(publicDir, 'index.html'), '<!doctype html><title>Cameras</title>');
  const config = loadConfig(
    { SECRET_KEY: 'a secret for tests only', DATA_DIR: dataDir, AUTH: 'off', ...options.env },
    { envFile: join(dataDir, '.env') },
  );
  const lines: string[] = [];
  const log = createLog(true, { write: (line: string) => lines.push(line) });
  const database = await openDatabase(join(dataDir, testDatabaseFile));
  const cameras = new RecordedCameras();
  const images = new FolderImageStore(join(dataDir, 'images'));
  await images.open();
  const detections = new DetectionRepository(database.db);
  const alerts = new AlertRepository(database.db);
  const outside = new AlarmedAtEverything(detections, alerts, images);
  const records = new SavedRecordService({ detections, alerts, images, outside, log });
  const streams = new SavedStreamService({
    records,
    store: new StreamRepository(database.db, new SecretBox(config.secretKey!)),
    live: cameras,
    maxStreams: config.maxStreams,
    snapshotTimeoutMs: options.snapshotTimeoutMs ?? 200,
  });
  await streams.start();
  const checks = { database: () => database.check(), storage: () => images.check() };
  const figures: TestServer['figures'] = {
    framesAnalysed: 0,
    framesSkipped: 0,
    analysisMs: 0,
    faces: 0,
    tracks: 0,
    detections: 0,
    alerts: 0,
    lostImages: 0,
    lostVisits: 0,
    waiting: 0,
  };
  const { adminUsername: username, adminPassword: password } = config;
  const auth = await createAuth({
    users: new UserRepository(database.db),
    sessions: new SessionRepository(database.db),
    apiTokens: new ApiTokenRepository(database.db),
    audit: new AuditRepository(database.db),
    secretKey: config.secretKey!,
    fallbacks: config.secretKeyFallbacks,
    clock: systemClock,
    log,
    mode: config.auth,
    passwordCost: { logN: 10, r: 8, p: 1 },
    firstAdmin: username === undefined || password === undefined ? undefined : { username, password },
  });
  const app = await buildHttp({
    config,
    auth: { ...auth, mode: config.auth },
    log,
    streams,
    records,
    cameraChecks: { check: () => Promise.reject(new AppError(429, 'too_many_checks', 'Not in this test.')) },
    histories: new PerformanceHistory({ clock: systemClock, cameras: () => [], service: () => noCosts }),
    detectionFigures: () => figures,
    checks,
    optionalChecks: { detector: async () => undefined },
    publicDir,
    ...options.http,
  });
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    base,
    cameras,
    images,
    figures,
    dataDir,
    log: lines,
    config,
    auth,
    async [Symbol.asyncDispose]() {
      await app.close();
      await auth.close();
      await database.close();
      await rm(publicDir, { recursive: true });
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true });
    },
  };
}

/** Sends JSON; the reply's status and body, read as JSON where it is any. */
export async function call(
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  // biome-ignore lint/suspicious/noExplicitAny: replies are looked at member by member
): Promise<{ status: number; body: any; headers: Headers }> {
  const response = await fetch(server.base + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, body: json ? JSON.parse(text) : text, headers: response.headers };
}

const admin = newAccount('admin');

/** With sign-in, and an admin. */
export function startGuardedServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { username, password } = admin;
  const env = { AUTH: 'required', ADMIN_USERNAME: username, ADMIN_PASSWORD: password, ...options.env };
  return startServer({ ...options, env });
}

/** Signs in as the admin of `startGuardedServer`. */
export async function signIn(server: TestServer, account: Account = admin): Promise<SignedIn> {
  const { status, body, headers } = await call(server, 'POST', '/api/login/', account);
  if (status !== 200) throw new Error(`sign-in: ${status} ${JSON.stringify(body)}`);
  const [cookie = ''] = headers.getSetCookie().map((header) => header.split(';', 1)[0]!);
  return { access: body.access, refresh: body.refresh, cookie };
}

/** A new user with this role. */
export async function newUser(server: TestServer, role: Role): Promise<Account & { readonly id: string }> {
  const account = newAccount(`${role}-${randomBytes(4).toString('hex')}`);
  const by = bearer((await signIn(server)).access);
  const { status, body } = await call(server, 'POST', '/api/register/', { ...account, role }, by);
  if (status !== 201) throw new Error(`register: ${status} ${JSON.stringify(body)}`);
  return { ...account, id: body.user.id };
}

/** What somebody with this role presents. */
export async function headersOf(server: TestServer, role: Role): Promise<Record<string, string>> {
  const account = role === 'admin' ? admin : await newUser(server, role);
  return bearer((await signIn(server, account)).access);
}
