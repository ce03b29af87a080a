// Several instances' words to each other within one process: for tests of parts that tell their like in other instances.
// Used by tests only; the real way is over Redis.

import type { Broadcast } from './broadcast.ts';

type Listener = (message: unknown) => void;

export class BroadcastHub {
  readonly #members = new Set<Map<string, Set<Listener>>>();

  /** One instance's side: what it publishes reaches all others at once, as JSON, and not itself. */
  join(): Broadcast {
    const own = new Map<string, Set<Listener>>();
    this.#members.add(own);
    const publish = (topic: string, message: object) => {
      for (const member of this.#members)
        if (member !== own)
          for (const listener of member.get(topic) ?? []) listener(JSON.parse(JSON.stringify(message)));
    };
    return {
      publish,
      publishLasting: publish,
      subscribe: (topic, listener) => {
        const listeners = own.get(topic) ?? new Set();
        own.set(topic, listeners.add(listener));
        return () => {
          listeners.delete(listener);
        };
      },
    };
  }
}
