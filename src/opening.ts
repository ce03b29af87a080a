// How single parts of the service are opened with its settings, each as app.ts wants it.
// No order among them: that is app.ts's.

import type { FastifyInstance } from 'fastify';
import { type Auth, createAuth } from './auth/auth.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { ChannelOptions } from './codec/messages.ts';
import { type Config, ConfigError } from './config.ts';
import { ApiTokenRepository } from './db/api-tokens.ts';
import { AuditRepository } from './db/audit.ts';
import type { Database } from './db/database.ts';
import { SessionRepository } from './db/sessions.ts';
import type { StreamRepository } from './db/streams.ts';
import { UserRepository } from './db/users.ts';
import type { InstanceLink } from './instance-link.ts';

/** Not loaded without need, nor is what it stands on. */
export async function openLink(
  { redis, instanceName: name }: Config,
  parts: { secretKey: string; clock: Clock; log: Log },
): Promise<InstanceLink | null> {
  if (!redis) return null;
  const { openInstanceLink } = await import('./instance-link.ts');
  return openInstanceLink({ redis, name, ...parts });
}

export function channelOptions(config: Config): ChannelOptions {
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

export function openSignIn(
  config: Config,
  {
    database,
    link,
    ...parts
  }: { database: Database; link: InstanceLink | null; secretKey: string; clock: Clock; log: Log },
): Promise<Auth> {
  const { adminUsername: username, adminPassword: password } = config;
  return createAuth({
    users: new UserRepository(database.db),
    sessions: new SessionRepository(database.db),
    apiTokens: new ApiTokenRepository(database.db),
    audit: new AuditRepository(database.db),
    fallbacks: config.secretKeyFallbacks,
    mode: config.auth,
    ...(link && { shared: link.signIn, others: link.bus }),
    ...(username !== undefined && password !== undefined && { firstAdmin: { username, password } }),
    ...parts,
  });
}

/** After a change of `SECRET_KEY`: what a former key sealed gets the current one, what no key opens is told by name. */
export async function renewSeals(store: StreamRepository, log: Log): Promise<void> {
  const { resealed, locked } = await store.reseal();
  if (resealed > 0)
    log.info({ streams: resealed }, 'camera passwords sealed with a former SECRET_KEY are sealed anew');
  if (locked.length > 0)
    log.error(
      { cameras: locked },
      `the passwords of ${locked.length} cameras were sealed with another SECRET_KEY: give it in SECRET_KEY_FALLBACKS, or enter these passwords again`,
    );
}

export async function listen(http: FastifyInstance, { host, port }: Config): Promise<string> {
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
