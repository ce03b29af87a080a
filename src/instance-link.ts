// What joins this process to the other instances over Redis: the bus, and what is counted and leased together.
// Opened before the parts that use it; cameras are instances.ts's.

import { randomBytes } from 'node:crypto';
import type { RedisAddress } from './base/backend-urls.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { AdHocLeases } from './cluster/ad-hoc.ts';
import { openBus, type RedisBus } from './cluster/bus.ts';
import { RedisConnection } from './cluster/redis.ts';
import { RedisSignIn } from './cluster/redis-limiter.ts';
import { ToldAlerts } from './cluster/told-alerts.ts';

export interface InstanceLink {
  readonly bus: RedisBus;
  readonly signIn: RedisSignIn;
  readonly adHoc: AdHocLeases;
  readonly toldAlerts: ToldAlerts;
  close(): Promise<void>;
}

export interface InstanceLinkOptions {
  readonly redis: RedisAddress;
  /** INSTANCE_NAME */
  readonly name: string;
  readonly secretKey: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws ConfigError when Redis cannot be reached, or refuses this service. */
export async function openInstanceLink(options: InstanceLinkOptions): Promise<InstanceLink> {
  const { redis, name, secretKey, clock, log } = options;
  const instance = `${name}-${randomBytes(4).toString('hex')}`;
  const bus = await openBus(redis, { instance, clock, log });
  const connection = new RedisConnection({
    address: redis,
    name: `${redis.prefix}-shared-${instance}`,
    clock,
    // Whether Redis is there is told by the bus; what fails here is told by those who asked.
    onReady: () => {},
    onLost: () => {},
    onTrouble: () => {},
  });
  const shared = { connection: connection.client, prefix: redis.prefix, secretKey, clock, log };
  const adHoc = new AdHocLeases({ ...shared, bus });
  return {
    bus,
    signIn: new RedisSignIn(shared),
    adHoc,
    toldAlerts: new ToldAlerts(connection.client, redis.prefix, clock),
    async close() {
      await adHoc.close();
      connection.close();
      bus.close();
    },
  };
}
