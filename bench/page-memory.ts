// What a page and its worker hold once all garbage is gone, asked over the browser's own protocol.
// What is done with the page meanwhile is its user's business.

import type { Browser, CDPSession, Page } from 'playwright-core';
import { processFigures } from '../test/support/process-figures.ts';

export interface PageMemory {
  /** JavaScript of the page, bytes; buffers and DOM objects included. */
  readonly page: number;
  /** The same of all its workers together. */
  readonly workers: number;
  readonly nodes: number;
  readonly listeners: number;
  /** Memory of their own of all the browser's processes, bytes: also what no heap counts, such as decoded pictures. */
  readonly browser: number;
}

interface HeapUsage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const answerWithinMs = 60_000;

const sizeOf = ({ usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 }: HeapUsage): number =>
  usedSize + embedderHeapUsedSize + backingStorageSize;

/** Workers have no session of their own in playwright: they are asked through that of their page. */
export class PageMemoryMeter {
  readonly #session: CDPSession;
  readonly #browserPid: number;
  readonly #workers = new Set<string>();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(session: CDPSession, browserPid: number) {
    this.#session = session;
    this.#browserPid = browserPid;
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.#workers.add(sessionId);
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => this.#workers.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const answer = JSON.parse(message) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  static async attach(browser: Browser, page: Page): Promise<PageMemoryMeter> {
    const whole = await browser.newBrowserCDPSession();
    const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
    await whole.detach();
    const pid = processInfo.find(({ type }) => type === 'browser')?.id;
    if (pid === undefined) throw new Error('the browser names no process of its own');
    const session = await page.context().newCDPSession(page);
    const meter = new PageMemoryMeter(session, pid);
    await session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    return meter;
  }

  async read(): Promise<PageMemory> {
    // Twice: what a finalizer lets go of is garbage only then; and the page holds ends of what the worker has.
    for (let round = 0; round < 2; round++) {
      await this.#session.send('HeapProfiler.collectGarbage');
      for (const worker of this.#workers) await this.#ask(worker, 'HeapProfiler.collectGarbage');
    }
    const own = (await this.#session.send('Runtime.getHeapUsage')) as HeapUsage;
    let workers = 0;
    for (const worker of this.#workers)
      workers += sizeOf((await this.#ask(worker, 'Runtime.getHeapUsage')) as HeapUsage);
    const { nodes, jsEventListeners } = await this.#session.send('Memory.getDOMCounters');
    const { anonymous } = processFigures(this.#browserPid);
    return { page: sizeOf(own), workers, nodes, listeners: jsEventListeners, browser: anonymous };
  }

  #ask(sessionId: string, method: string): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(late);
        this.#waiting.delete(id);
      };
      const late = setTimeout(() => {
        end();
        reject(new Error(`${method}: a worker does not answer`));
      }, answerWithinMs);
      this.#waiting.set(id, ({ result, error }) => {
        end();
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
      const message = JSON.stringify({ id, method, params: {} });
      this.#session.send('Target.sendMessageToTarget', { sessionId, message }).catch((error: Error) => {
        end();
        reject(error);
      });
    });
  }
}
