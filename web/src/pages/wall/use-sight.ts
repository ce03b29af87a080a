// Whether an element is seen, about to be seen, or far away, so that what nobody sees costs nothing.

import { type RefObject, useEffect, useState } from 'react';

export type Sight = 'far' | 'near' | 'seen';

/** One observer for all elements, each with its own listener. */
class Watch {
  readonly #listeners = new Map<Element, (inside: boolean) => void>();
  readonly #observer: IntersectionObserver;

  constructor(rootMargin: string) {
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) this.#listeners.get(target)?.(isIntersecting);
      },
      { rootMargin },
    );
  }

  follow(element: Element, listener: (inside: boolean) => void): () => void {
    this.#listeners.set(element, listener);
    this.#observer.observe(element);
    return () => {
      this.#listeners.delete(element);
      this.#observer.unobserve(element);
    };
  }
}

let watches: { readonly seen: Watch; readonly near: Watch } | undefined;

export function useSight(ref: RefObject<Element | null>): Sight {
  const [seen, setSeen] = useState(false);
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (!ref.current) return;
    watches ??= { seen: new Watch('0px'), near: new Watch('500px') };
    const ends = [watches.seen.follow(ref.current, setSeen), watches.near.follow(ref.current, setNear)];
    return () => {
      for (const end of ends) end();
    };
  }, [ref]);
  return seen ? 'seen' : near ? 'near' : 'far';
}
