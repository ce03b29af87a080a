// Whether anybody may be looking at the page: hidden, frozen and left pages need no video.
// What follows from it is each player's business.

/** A look at another tab is no reason to stop at once. */
const lingerMs = 5_000;

type Listener = () => void;

class Attention {
  readonly #listeners = new Set<Listener>();
  #looking = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#changed());
    // Frozen or left for the back-forward cache: not a moment later, since no timer will fire.
    document.addEventListener('freeze', () => this.#set(false));
    addEventListener('pagehide', () => this.#set(false));
    document.addEventListener('resume', () => this.#changed());
    addEventListener('pageshow', () => this.#changed());
    this.#changed();
  }

  get looking(): boolean {
    return this.#looking;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#set(true);
    else this.#timer = setTimeout(() => this.#set(false), lingerMs);
  }

  #set(looking: boolean): void {
    clearTimeout(this.#timer);
    if (looking === this.#looking) return;
    this.#looking = looking;
    for (const listener of this.#listeners) listener();
  }
}

let attention: Attention | null = null;

/** That of this page. */
export function pageAttention(): Attention {
  attention ??= new Attention();
  return attention;
}
