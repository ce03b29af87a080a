// Constructs the parts of the service and joins them: the only place that knows them all.
// No behaviour of its own beyond the order of opening and closing.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { loadSecretKey, SecretBox } from './auth/secrets.ts';
import { systemClock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { Cameras } from './cameras.ts';
import { CodecPool } from './codec/pool.ts';
import { type Config, ConfigError } from './config.ts';
import { databaseFileName, openDatabase } from './db/database.ts';
import { StreamRepository } from './db/streams.ts';
import type { StreamService } from './http/ports.ts';
import { buildHttp } from './http/server.ts';
import { SavedStreamService } from './http/streams-service.ts';
import { AddressPolicy } from './ingest/address-policy.ts';
import { LiveServer } from './live/server.ts';

const publicDir = fileURLToPath(new URL('../web/public/', import.meta.url));

export interface App {
  /** As in `http://127.0.0.1:8000`. */
  readonly address: string;
  readonly streamService: StreamService;
  /** How many streams are saved. */
  streams(): number;
  /** Viewers are told, cameras torn down, what is under way is written; then everything is closed. */
  close(): Promise<void>;
}

/** @throws ConfigError when a part cannot start with these settings. */
export async function startApp(config: Config, log: Log): Promise<App> {
  const clock = systemClock;
  const database = await openDatabase(join(config.dataDir, databaseFileName));
  const store = new StreamRepository(database.db, new SecretBox(loadSecretKey(config)));
  const pool = new CodecPool({ log });
  const policy = new AddressPolicy({
    allowed: config.rtspAllowedNetworks,
    denied: config.rtspDeniedNetworks,
  });
  const cameras = new Cameras({
    clock,
    log,
    pool,
    channel: {
      picture: { ...config.frameSize, fps: config.frameRate, quality: config.jpegQuality },
      faces: { ...config.frameSize, fps: config.detectionFps, minFaceSize: config.minFaceSize },
    },
    resolve: (host) => policy.resolve(host),
    maxStreams: config.maxStreams,
    onOnline: (id, wallTime) => {
      store
        .setLastConnected(id, wallTime)
        .catch((error) => log.warn({ err: error }, 'last_connected not stored'));
    },
  });
  const streams = new SavedStreamService({ store, live: cameras, maxStreams: config.maxStreams });
  const live = new LiveServer({ cameras, clock, log, maxViewers: config.maxViewers });
  const http = await buildHttp({
    config,
    log,
    streams,
    checks: { database: () => database.check() },
    publicDir,
  });
  await live.register(http);
  await streams.start();
  pool.warm();
  const address = await listen(http, config);

  return {
    address,
    streamService: streams,
    streams: () => cameras.counts.saved,
    async close() {
      live.close();
      await Promise.all([http.close(), cameras.close()]);
      await pool.close();
      await database.close();
    },
  };
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
