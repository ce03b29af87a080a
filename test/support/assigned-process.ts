// An AssignedInstance in a process of its own: this file is both the process and how a test starts one.
// What happens there is told to the test as it happens.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AssignedInstance, type CameraEvent, type InstanceSpec } from './assigned-instance.ts';

interface Start {
  readonly spec: InstanceSpec;
  readonly wanted: readonly string[];
}

const thisFile = fileURLToPath(import.meta.url);

export class AssignedProcess {
  readonly #child: ChildProcess;

  static async start(
    spec: InstanceSpec,
    wanted: readonly string[],
    onEvent: (event: CameraEvent) => void,
  ): Promise<AssignedProcess> {
    // Not the parent's flags: a test runner's loader has no business here.
    const child = fork(thisFile, ['--forked'], { execArgv: [] });
    child.on('message', (message) => {
      if (message !== 'started') onEvent(message as CameraEvent);
    });
    child.send({ spec, wanted } satisfies Start);
    await once(child, 'message');
    return new AssignedProcess(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Kills it, also when it is stopped. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

if (process.argv[1] === thisFile && process.argv[2] === '--forked') {
  const [start] = (await once(process, 'message')) as [Start];
  await AssignedInstance.start(start.spec, start.wanted, (event) => process.send!(event));
  process.send!('started');
  process.once('disconnect', () => process.exit());
}
