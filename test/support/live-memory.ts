// What a running Node process holds once all garbage is gone, asked over its inspector: what a leak grows, and nothing else.
// For processes that were started with `inspectable`; resident memory rises and falls with the moments of collection.

import WebSocket from 'ws';

export interface LiveMemory {
  /** JavaScript objects and compiled code, bytes. */
  readonly heap: number;
  /** What objects hold outside the heap: buffers and the like, bytes. */
  readonly external: number;
}

export interface Inspected {
  readonly pid: number;
  /** What it has printed lately, both streams. */
  logs(): string;
}

/** For the environment: SIGUSR1 then opens the inspector on any free port of the loopback, and nothing is open before. */
export const inspectable = {
  NODE_OPTIONS: [process.env.NODE_OPTIONS, '--inspect-port=127.0.0.1:0'].filter(Boolean).join(' '),
};

const openWithinMs = 20_000;
const answerWithinMs = 30_000;
const reading = '(({ heapUsed, external }) => ({ heap: heapUsed, external }))(process.memoryUsage())';

/** Opens the inspector. @returns collects all garbage and reads what is left. @throws Error when it does not open. */
export async function watchLiveMemory({ pid, logs }: Inspected): Promise<() => Promise<LiveMemory>> {
  process.kill(pid, 'SIGUSR1');
  const deadline = performance.now() + openWithinMs;
  for (;;) {
    const address = /Debugger listening on (ws:\S+)/.exec(logs())?.[1];
    if (address !== undefined) return () => read(address);
    if (performance.now() > deadline) throw new Error('the inspector does not open');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A connection for each reading: one that stays would keep what the process tells of itself. */
async function read(address: string): Promise<LiveMemory> {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  try {
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    // Twice: what a finalizer lets go of is garbage only then.
    for (const id of [1, 2]) await call(socket, id, 'HeapProfiler.collectGarbage', {});
    const answer = await call(socket, 3, 'Runtime.evaluate', { expression: reading, returnByValue: true });
    return (answer as { result: { value: LiveMemory } }).result.value;
  } finally {
    socket.terminate();
  }
}

function call(socket: WebSocket, id: number, method: string, params: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${method}: ${why}`));
    const late = setTimeout(fail, answerWithinMs, 'no answer');
    const onClose = () => fail('the process has gone');
    const onMessage = (text: Buffer) => {
      const answer = JSON.parse(text.toString()) as { id?: number; result?: unknown; error?: unknown };
      if (answer.id !== id) return;
      if (answer.error === undefined) resolve(answer.result);
      else fail(JSON.stringify(answer.error));
      clearTimeout(late);
      socket.off('message', onMessage).off('close', onClose);
    };
    socket.on('message', onMessage).once('close', onClose);
    socket.send(JSON.stringify({ id, method, params }));
  });
}
