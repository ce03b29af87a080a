// One WebSocket for the news of all cameras: connects, comes back by itself, rests while nobody looks.
// What a message means is in live.ts.

import type { EventMessage } from './types.ts';

export type Connection =
  /** Not yet, or on purpose not: nobody is told. */
  | { readonly state: 'connecting' | 'resting' }
  | { readonly state: 'open' }
  /** `retryAt`: ms since 1970. */
  | { readonly state: 'lost'; readonly since: number; readonly retryAt: number };

const firstWaitMs = 800;
const longestWaitMs = 20_000;
/** The service says something every 12 s: after this silence the line is dead, whatever TCP believes. */
const longestSilenceMs = 30_000;
const longestOpeningMs = 10_000;
const lookEveryMs = 2_000;
/** A look at another tab is no reason to go. */
const restAfterMs = 60_000;

export interface EventSocketListener {
  onMessage(message: EventMessage): void;
  /** After each new connection but the first: something may have been missed. */
  onBack(): void;
  /** The upgrade was refused, or the service does not answer: the page can find out which. */
  onRefused(): void;
  onConnection(connection: Connection): void;
}

export class EventSocket {
  readonly #listener: EventSocketListener;
  readonly #url: string;
  /** Whether it stays open while the page is hidden. */
  #keepHidden = false;
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #opened = false;
  #lostSince: number | null = null;
  #closed = false;
  /** Of the last message, or of the attempt; ms since 1970, which goes on while the machine sleeps. */
  #heardAt = 0;
  readonly #watch = setInterval(() => this.#look(), lookEveryMs);

  constructor(url: string, listener: EventSocketListener) {
    this.#url = url;
    this.#listener = listener;
    document.addEventListener('visibilitychange', this.#onVisibility);
    addEventListener('online', this.retryNow);
    this.#connect();
  }

  /** For notifications, which matter most while the page is hidden. */
  set keepHidden(keep: boolean) {
    this.#keepHidden = keep;
    if (keep) this.#onVisibility();
  }

  close(): void {
    this.#closed = true;
    document.removeEventListener('visibilitychange', this.#onVisibility);
    removeEventListener('online', this.retryNow);
    clearInterval(this.#watch);
    clearTimeout(this.#rest);
    this.#leave();
  }

  readonly retryNow = (): void => {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  };

  readonly #onVisibility = (): void => {
    clearTimeout(this.#rest);
    if (document.hidden && !this.#keepHidden) {
      this.#rest = setTimeout(() => {
        this.#leave();
        this.#lostSince = null;
        this.#listener.onConnection({ state: 'resting' });
      }, restAfterMs);
    } else {
      this.#attempt = 0;
      this.#look();
      this.retryNow();
    }
  };

  /** A line that died without a word is left, and made anew. */
  #look(): void {
    const socket = this.#socket;
    if (!socket) return;
    const opening = socket.readyState === WebSocket.CONNECTING;
    if (Date.now() - this.#heardAt < (opening ? longestOpeningMs : longestSilenceMs)) return;
    this.#leave();
    this.#comeBack();
  }

  #leave(): void {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    let welcomed = false;
    this.#socket = socket;
    this.#heardAt = Date.now();
    if (this.#lostSince === null) this.#listener.onConnection({ state: 'connecting' });
    socket.addEventListener('open', () => {
      if (socket !== this.#socket) return;
      welcomed = true;
      this.#heardAt = Date.now();
      this.#lostSince = null;
      this.#listener.onConnection({ state: 'open' });
      if (this.#opened) this.#listener.onBack();
      this.#opened = true;
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardAt = Date.now();
      // Not at "open": a service that lets go at once would be asked without a pause.
      this.#attempt = 0;
      this.#listener.onMessage(JSON.parse(data));
    });
    socket.addEventListener('close', ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#comeBack();
      // 1001: it said that it is leaving. 1006 after it was open: the line broke.
      if (!welcomed || (code !== 1001 && code !== 1006)) this.#listener.onRefused();
    });
  }

  #comeBack(): void {
    const wait =
      Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#attempt++, 8)) * (0.5 + Math.random());
    this.#lostSince ??= Date.now();
    this.#listener.onConnection({ state: 'lost', since: this.#lostSince, retryAt: Date.now() + wait });
    this.#retry = setTimeout(() => this.#connect(), wait);
  }
}
