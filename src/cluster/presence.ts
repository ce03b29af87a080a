// Which instances live: each tells of itself about once a second and learns of all others by the same call.
// By Redis's clock alone: those of the instances may differ. What follows from it is decided elsewhere.

import type { Redis } from 'ioredis';
import type { InstanceView } from './ports.ts';

/** What one instance tells of itself. */
export interface Presence extends InstanceView {
  /** False while it could not begin a camera if it got one, as when its database is away. */
  readonly accepts: boolean;
}

/**
 * One hash: by instance, `<ms of Redis until which it counts as alive> <JSON>`.
 * ARGV: instance, ms, JSON; without JSON it is gone.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now + ARGV[2], ARGV[3])) end
local all = redis.call('HGETALL', KEYS[1])
local live = {}
for i = 1, #all, 2 do
  local space = string.find(all[i + 1], ' ', 1, true)
  if tonumber(string.sub(all[i + 1], 1, space - 1)) < now then redis.call('HDEL', KEYS[1], all[i])
  else live[#live + 1] = string.sub(all[i + 1], space + 1) end
end
return live`;

export class PresenceBoard {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#key = `${prefix}:instances`;
  }

  /** @returns all that live at this moment, this one among them. Rejects when Redis does not answer. */
  async beat(self: Presence, aliveMs: number): Promise<Presence[]> {
    return this.#call(self.instance, aliveMs, JSON.stringify(self));
  }

  /** Rejects when Redis does not answer: then it is gone a little later by itself. */
  async goodbye(instance: string): Promise<void> {
    await this.#call(instance, 0, '');
  }

  async #call(instance: string, aliveMs: number, told: string): Promise<Presence[]> {
    const live = (await this.#redis.eval(script, 1, this.#key, instance, aliveMs, told)) as string[];
    return live.flatMap((text) => presence(text) ?? []);
  }
}

/** A neighbouring version may lack members or have more of them. */
function presence(text: string): Presence | null {
  const told = JSON.parse(text) as Partial<Presence>;
  if (typeof told.instance !== 'string') return null;
  return {
    instance: told.instance,
    name: told.name ?? told.instance,
    version: told.version ?? '',
    capacity: told.capacity ?? 0,
    held: told.held ?? 0,
    leaving: told.leaving ?? false,
    accepts: told.accepts ?? true,
  };
}
