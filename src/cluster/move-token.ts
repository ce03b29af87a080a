// One token for the whole service: who has it may move a camera, so that cameras move one at a time.
// It says nothing of who should.

import type { Redis } from 'ioredis';

const giveBackScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

export class MoveToken {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #instance: string;

  constructor(redis: Redis, prefix: string, instance: string) {
    this.#redis = redis;
    this.#key = `${prefix}:moving`;
    this.#instance = instance;
  }

  /** @param forMs it is free again then, whatever becomes of this instance. @returns whether it is ours now. */
  async take(forMs: number): Promise<boolean> {
    return (await this.#redis.set(this.#key, this.#instance, 'PX', forMs, 'NX')) === 'OK';
  }

  async giveBack(): Promise<void> {
    await this.#redis.eval(giveBackScript, 1, this.#key, this.#instance);
  }
}
