// A benchmark's side of its viewers: starts their process, opens and closes viewers, asks what they saw.
// What a viewer does is in viewers-process.ts; the messages are in viewer-messages.ts.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FirstPicture, FromViewers, ToViewers } from './viewer-messages.ts';

export type FleetReport = Extract<FromViewers, { type: 'report' }>;
type Request<M = ToViewers> = M extends ToViewers ? Omit<M, 'request'> : never;

export class ViewerFleet {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { done(message: FromViewers): void; fail(error: Error): void }>();
  readonly #open = new Set<number>();
  #requests = 0;
  #ids = 0;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./viewers-process.ts', import.meta.url)), {
      serialization: 'advanced',
    });
    this.#child.on('message', (message: FromViewers) => {
      const waiting = this.#waiting.get(message.request);
      this.#waiting.delete(message.request);
      if (message.type === 'failed') waiting?.fail(new Error(message.message));
      else waiting?.done(message);
    });
    this.#child.on('exit', (code, signal) => {
      for (const { fail } of this.#waiting.values())
        fail(new Error(`the viewers' process ended (${signal ?? code})`));
      this.#waiting.clear();
    });
  }

  /** Opens a viewer for each address and waits until each has a picture. @returns their ids. */
  async open(urls: readonly string[]): Promise<number[]> {
    const viewers = urls.map((url) => ({ id: ++this.#ids, url }));
    await this.#ask({ type: 'open', viewers });
    for (const { id } of viewers) this.#open.add(id);
    return viewers.map(({ id }) => id);
  }

  /** Counts anew; every `keepEvery`th picture of each viewer will be read for the report, `keepAtMost` in all. */
  async measure(keepEvery: number, keepAtMost = 1_500): Promise<void> {
    await this.#ask({ type: 'measure', keepEvery, keepAtMost });
  }

  async report(): Promise<FleetReport> {
    return (await this.#ask({ type: 'report' })) as FleetReport;
  }

  async first(url: string, timeoutMs = 15_000): Promise<FirstPicture> {
    const answer = await this.#ask({ type: 'first', url, timeoutMs });
    return (answer as Extract<FromViewers, { type: 'first' }>).picture;
  }

  async stopReading(id: number): Promise<void> {
    await this.#ask({ type: 'stopReading', id });
  }

  async close(ids: readonly number[] = [...this.#open]): Promise<void> {
    for (const id of ids) this.#open.delete(id);
    await this.#ask({ type: 'close', ids });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Viewers open now. */
  get size(): number {
    return this.#open.size;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask(message: Request): Promise<FromViewers> {
    const request = ++this.#requests;
    return new Promise((done, fail) => {
      this.#waiting.set(request, { done, fail });
      this.#child.send({ ...message, request });
    });
  }
}
