// Questions to one instance and their answers, over the messages of the bus.
// Matching and time-outs only; sending is the bus's, what is asked is app's.

import type { Clock } from '../base/clock.ts';
import { AppError, type Issue } from '../errors.ts';

type Header = Readonly<Record<string, unknown>>;
type Handler = (message: unknown, bytes: Uint8Array) => Promise<object>;

export interface RequestsOptions {
  readonly clock: Clock;
  /** @returns to how many instances it went; rejects when Redis does not take it. */
  readonly send: (instance: string, header: object, bytes?: Uint8Array) => Promise<number>;
  /** What a handler threw that is no refusal. */
  readonly onTrouble: (error: unknown) => void;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: AppError) => void;
}

/** More questions than these do not wait for an answer at once. */
const maxWaiting = 1_000;

export class Requests {
  readonly #options: RequestsOptions;
  readonly #handlers = new Map<string, Handler>();
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  handle(kind: string, handler: Handler): void {
    if (this.#handlers.has(kind)) throw new Error(`There is a handler for "${kind}" already.`);
    this.#handlers.set(kind, handler);
  }

  async ask(
    instance: string,
    kind: string,
    message: object,
    bytes: Uint8Array,
    timeoutMs: number,
  ): Promise<unknown> {
    if (this.#waiting.size >= maxWaiting) throw unavailable();
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const cancel = this.#options.clock.after(timeoutMs, () => reject(unavailable()));
    this.#options.send(instance, { ask: id, k: kind, m: message }, bytes).then(
      (instances) => {
        // It is gone: nobody would answer.
        if (instances === 0) reject(unavailable());
      },
      () => reject(unavailable()),
    );
    try {
      return await promise;
    } finally {
      cancel();
      this.#waiting.delete(id);
    }
  }

  /** What came to this instance's own channel. */
  take(message: unknown, bytes: Uint8Array, from: string): void {
    const header = (message ?? {}) as Header;
    if (typeof header.ask === 'number') void this.#answer(header, header.ask, bytes, from);
    else if (typeof header.answer === 'number') this.#settle(header, header.answer);
  }

  close(): void {
    for (const { reject } of this.#waiting.values()) reject(unavailable());
  }

  async #answer(header: Header, id: number, bytes: Uint8Array, from: string): Promise<void> {
    const answer = await this.#answerTo(String(header.k), header.m, bytes);
    // When it cannot be sent, the other side does not wait for ever.
    await this.#options.send(from, { answer: id, ...answer }).catch(() => 0);
  }

  async #answerTo(kind: string, message: unknown, bytes: Uint8Array): Promise<object> {
    try {
      const handler = this.#handlers.get(kind);
      // A version that does not know this question.
      if (!handler) throw unavailable();
      return { m: await handler(message, bytes) };
    } catch (error) {
      if (error instanceof AppError) return { e: refusalOf(error) };
      this.#options.onTrouble(error);
      return {
        e: refusalOf(
          new AppError(500, 'internal_error', 'Something went wrong in the service; its log says more.'),
        ),
      };
    }
  }

  #settle({ m, e }: Header, id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (e === undefined) waiting.resolve(m);
    else waiting.reject(errorOf(e));
  }
}

function unavailable(): AppError {
  return new AppError(
    503,
    'instance_unavailable',
    'Another server that is needed for this does not answer; try again.',
    { retryAfter: 1 },
  );
}

function refusalOf({ status, code, message, detail, issues, retryAfter }: AppError): object {
  return { status, code, message, detail, issues, retryAfter };
}

function errorOf(told: unknown): AppError {
  const { status, code, message, detail, issues, retryAfter } = (told ?? {}) as Record<string, unknown>;
  if (typeof status !== 'number' || typeof code !== 'string' || typeof message !== 'string')
    return unavailable();
  return new AppError(status, code, message, {
    ...(typeof detail === 'string' && { detail }),
    ...(Array.isArray(issues) && { issues: issues as Issue[] }),
    ...(typeof retryAfter === 'number' && { retryAfter }),
  });
}
