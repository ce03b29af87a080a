// Which alerts were told to the instances: so that whoever takes a camera over tells the last one once more only if need be.
// Remembered in Redis for a while; without Redis nothing was told.

import type { Redis } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import { BriefRedis } from './brief-redis.ts';

const rememberedMs = 5 * 60_000;
const restMs = 2_000;

export class ToldAlerts {
  readonly #redis: BriefRedis;
  readonly #prefix: string;

  /** @param prefix of the service's keys, without a colon at its end. */
  constructor(connection: Redis, prefix: string, clock: Clock) {
    this.#redis = new BriefRedis({ connection, clock, restMs });
    this.#prefix = `${prefix}:told-alert:`;
  }

  /** After it was told: one that is told and not noted is told twice, the other way round it might never be. */
  async note(alertId: string): Promise<void> {
    // One that cannot be noted may be told once more.
    await this.#redis
      .run((redis) => redis.set(this.#prefix + alertId, '1', 'PX', rememberedMs))
      .catch(() => undefined);
  }

  /** False also when it cannot be found out. */
  async has(alertId: string): Promise<boolean> {
    return this.#redis
      .run((redis) => redis.exists(this.#prefix + alertId))
      .then((count) => count > 0)
      .catch(() => false);
  }
}
