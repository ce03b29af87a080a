// News of all cameras from one WebSocket. It only makes the page quicker: what it misses, the regular requests bring.
// What a message means is the listener's business.

import { endsSignIn, liveAddress } from './api.js';

const firstWait = 1_000;
const longestWait = 30_000;

export class Events {
  /** @type {(message: {type: string}) => void} */ #listener;
  /** @type {WebSocket | undefined} */ #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  #attempt = 0;

  /** @param {(message: {type: string}) => void} listener called for each message */
  constructor(listener) {
    this.#listener = listener;
  }

  /** Connects, unless it has, and again whenever the connection is lost. */
  open() {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    const socket = new WebSocket(liveAddress('/ws/events/'));
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      this.#attempt = 0;
      this.#listener(JSON.parse(data));
    });
    socket.addEventListener('close', ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = undefined;
      if (endsSignIn(code)) return;
      const wait = Math.min(longestWait, firstWait * 2 ** Math.min(this.#attempt++, 10));
      this.#retry = setTimeout(() => this.open(), wait * (0.75 + Math.random() * 0.5));
    });
  }

  close() {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
