// One WebSocket to the service that comes back by itself: after losses, restarts of the service, and sleep.
// What its messages mean is tile.ts's.

import type { LinkView, Source } from '../messages.ts';
import { type Refusal, whyRefused } from './refusal.ts';

const firstWaitMs = 500;
const longestWaitMs = 10_000;
/** The service sends figures every 5 s: after this silence the connection is dead, whatever TCP believes. */
const longestSilenceMs = 12_000;
const longestOpeningMs = 8_000;

const closeCodes = { leaving: 1001, badRequest: 4400, signedOut: 4401, noSuchStream: 4404, tooMany: 4429 };

export interface LinkListener {
  /** A connection is about to be made: the address for it. */
  url(): string;
  onText(text: string): void;
  onBinary(data: ArrayBuffer): void;
  /** `view` has changed. */
  onChange(): void;
}

export class Link {
  readonly #source: Source;
  readonly #listener: LinkListener;
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #startedAt = 0;
  #heardAt = 0;
  #view: LinkView = { state: 'resting' };
  /** A browser tells of a close it did not expect only the code, so the service says why in a message before. */
  #lastError: string | null = null;

  constructor(source: Source, listener: LinkListener) {
    this.#source = source;
    this.#listener = listener;
  }

  get view(): LinkView {
    return this.#view;
  }

  /** Connects, unless it has. */
  open(): void {
    if (this.#view.state !== 'resting') return;
    this.#attempt = 0;
    this.#connect();
  }

  rest(): void {
    if (this.#view.state === 'resting') return;
    this.#drop();
    this.#set({ state: 'resting' });
  }

  /** Does not wait for the next try. @param again also what has ended is tried anew. */
  hurry(again: boolean): void {
    const { state } = this.#view;
    if (state !== 'waiting' && !(again && state === 'ended')) return;
    this.#attempt = 0;
    this.#connect();
  }

  send(command: Readonly<Record<string, string | boolean>>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(command));
  }

  /** A sentence of the service that may turn out to be why it closes. */
  noteError(words: string): void {
    this.#lastError = words;
  }

  /** Once a second. @param slept the machine slept: the old connection is not worth waiting for. */
  look(now: number, slept: boolean): void {
    const { state } = this.#view;
    if (slept) {
      this.hurry(false);
      if (state === 'opening' || state === 'open') this.#connect();
      return;
    }
    if (state === 'opening' && now - this.#startedAt > longestOpeningMs) this.#lost('unreachable', null);
    if (state === 'open' && now - this.#heardAt > longestSilenceMs) this.#connect();
  }

  #connect(): void {
    this.#drop();
    this.#startedAt = performance.now();
    this.#lastError = null;
    const socket = new WebSocket(this.#listener.url());
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#set({ state: 'opening' });
    socket.onopen = () => {
      this.#heardAt = performance.now();
      this.#set({ state: 'open' });
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      // Not at "open": a service that lets go at once would be asked without a pause.
      this.#attempt = 0;
      if (typeof data === 'string') this.#listener.onText(data);
      else this.#listener.onBinary(data);
    };
    socket.onclose = ({ code, reason }) => this.#closed(code, reason || this.#lastError);
  }

  /** A socket that was given up may still report: nobody listens to it. */
  #drop(): void {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #closed(code: number, words: string | null): void {
    const refused = this.#view.state === 'opening';
    this.#drop();
    if (code === closeCodes.signedOut) this.#set({ state: 'ended', why: 'signed_out', words: null });
    else if (code === closeCodes.noSuchStream) this.#set({ state: 'ended', why: 'deleted', words });
    else if (code === closeCodes.badRequest) this.#set({ state: 'ended', why: 'refused', words });
    else if (code === closeCodes.tooMany) this.#lost('full', words);
    else if (code === closeCodes.leaving) this.#lost('leaving', null);
    else if (refused) this.#findOut();
    else this.#lost('lost', null);
  }

  /** The upgrade was refused, or nobody is there: which one, is asked over plain HTTP. */
  #findOut(): void {
    const startedAt = this.#startedAt;
    void whyRefused(this.#source).then((refusal: Refusal) => {
      if (this.#view.state !== 'opening' || this.#startedAt !== startedAt) return;
      if (refusal.final) this.#set({ state: 'ended', why: refusal.why, words: refusal.words });
      else this.#lost(refusal.why, refusal.words);
    });
  }

  #lost(why: Extract<LinkView, { state: 'waiting' }>['why'], words: string | null): void {
    this.#drop();
    if (why === 'full') this.#attempt = Math.max(this.#attempt, 5);
    const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#attempt++, 8));
    const jittered = wait * (0.75 + Math.random() * 0.5);
    this.#retry = setTimeout(() => this.#connect(), jittered);
    this.#set({ state: 'waiting', why, words, retryAt: Date.now() + jittered });
  }

  #set(view: LinkView): void {
    this.#view = view;
    this.#listener.onChange();
  }
}
