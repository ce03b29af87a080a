// Entry of the detector's thread: one detector, one frame at a time. Everything it knows of the outside are messages.
// Started by thread-client.ts only; ends itself at the first error and when told to stop.

import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { MtcnnDetector } from './detector.ts';
import {
  COMMAND,
  type FrameMessage,
  type FromThread,
  IDLE,
  RUN,
  STOP,
  type ThreadSettings,
  type ToThread,
  WORK,
} from './messages.ts';

if (!parentPort) throw new Error('thread.ts runs as a worker thread only.');
const port = parentPort;
const { options, control } = workerData as ThreadSettings;

// Whoever decodes and draws pictures goes first when processors are short. On Linux a priority is the calling thread's
// own; elsewhere it would be that of the whole process, pictures and all.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const stopped = () => Atomics.load(control, COMMAND) === STOP;

/** Tells a process that wants to exit that the thread is out of native code. */
function rest(): void {
  Atomics.store(control, WORK, IDLE);
  Atomics.notify(control, WORK);
}

function say(message: FromThread): void {
  port.postMessage(message);
}

function fail(error: unknown): void {
  say({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  port.close();
}

/** Blocks, as a detector does that hangs. */
function sleep(ms: number): void {
  if (ms > 0) Atomics.wait(control, COMMAND, RUN, ms);
}

async function analyse(detector: MtcnnDetector, frame: FrameMessage): Promise<void> {
  const start = performance.now();
  sleep(frame.pause);
  if (stopped()) return;
  const faces = await detector.detect(frame.rgb, frame.width, frame.height);
  say({ type: 'faces', id: frame.id, faces, time: performance.now() - start });
}

try {
  const detector = await MtcnnDetector.create(options);
  port.on('message', (message: ToThread) => {
    // The thread ends by itself, outside native code: terminated inside it, the whole process would abort.
    if (message.type === 'stop') port.close();
    else void analyse(detector, message).catch(fail).finally(rest);
  });
  say({ type: 'ready' });
} catch (error) {
  fail(error);
} finally {
  rest();
}
