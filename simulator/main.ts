// The simulated cameras as a process of their own: from the command line, or forked by fork.ts.
// Reads options and commands; what a camera does lives in camera.ts.

import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { VideoCodec } from '../src/media/access-unit.ts';
import type { AudioCodec } from '../src/media/audio.ts';
import type { AuthScheme } from './access.ts';
import type { Sound } from './audio.ts';
import {
  type CallName,
  type FromSimulator,
  perform,
  type SimulatorSpec,
  startFromSpec,
  type ToSimulator,
} from './control.ts';
import { demoScene } from './scene.ts';
import type { Simulator } from './server.ts';

const usage = `Simulated RTSP cameras at /cam1, /cam2, …

  --cameras N      how many (1)
  --codec NAME     h264, h265 or mjpeg (h264)
  --size WxH       (640x480)        --fps N          (15)
  --gop SECONDS    (2)              --b-frames N     (0)
  --seconds N      of the loop (30)
  --audio NAME     none, aac, opus, pcmu, pcma or l16 (none)
  --sound NAME     speech or tone (speech)
  --host ADDRESS   (127.0.0.1)      --port N         0 picks one (8554)
  --auth NAME      none, basic, digest, digest-md5, digest-md5-qop or digest-sha256
  --user NAME      (viewer)         --password TEXT

When ready, one line of JSON tells the addresses. Then commands are read from standard input, one JSON object a line:
  {"path": "/cam1", "name": "die"}   also comeBack, stall, resume, goSilent, refuse, behave, dropSessions, bye,
  renewNonce, switchClip, stats; with "args": […] where one is needed, as {"name": "refuse", "args": [503]}.`;

/** As many different rooms; more would only take longer to encode. */
const variants = 2;

function specFromArguments(args: string[]): SimulatorSpec | null {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      cameras: { type: 'string', default: '1' },
      codec: { type: 'string', default: 'h264' },
      size: { type: 'string', default: '640x480' },
      fps: { type: 'string', default: '15' },
      gop: { type: 'string', default: '2' },
      'b-frames': { type: 'string', default: '0' },
      seconds: { type: 'string', default: '30' },
      audio: { type: 'string', default: 'none' },
      sound: { type: 'string', default: 'speech' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8554' },
      auth: { type: 'string' },
      user: { type: 'string', default: 'viewer' },
      password: { type: 'string', default: '' },
    },
  });
  if (values.help) return null;
  const size = /^(\d{2,4})x(\d{2,4})$/.exec(values.size);
  const codec = choice('codec', values.codec, ['h264', 'h265', 'mjpeg'] satisfies VideoCodec[]);
  const auth = choice('auth', values.auth ?? (values.password ? 'digest' : 'none'), [
    'none',
    'basic',
    'digest',
    'digest-md5',
    'digest-md5-qop',
    'digest-sha256',
  ] satisfies (AuthScheme | 'digest')[]);
  const audio = choice('audio', values.audio, ['none', 'aac', 'opus', 'pcmu', 'pcma', 'l16'] satisfies (
    | AudioCodec
    | 'none'
  )[]);
  const sound = choice('sound', values.sound, ['speech', 'tone'] satisfies Sound[]);
  if (!size) throw new RangeError('--size must look like 640x480.');
  const clip = {
    codec,
    width: Number(size[1]),
    height: Number(size[2]),
    fps: number('fps', values.fps, 1, 120),
    gopSeconds: number('gop', values.gop, 0.1, 600),
    bFrames: number('b-frames', values['b-frames'], 0, 8),
  };
  const seconds = number('seconds', values.seconds, 5, 600);
  const count = number('cameras', values.cameras, 1, 1000);
  return {
    host: values.host,
    port: number('port', values.port, 0, 65535),
    cameras: Array.from({ length: count }, (_, i) => ({
      path: `/cam${i + 1}`,
      clip: { ...clip, scene: demoScene(i % variants, seconds) },
      ...(audio !== 'none' && { audio: { codec: audio, sound } }),
      auth: auth === 'digest' ? 'digest-md5-qop' : auth,
      username: values.user,
      password: values.password,
    })),
  };
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text === '' || !(value >= least && value <= most))
    throw new RangeError(`--${name} must be a number from ${least} to ${most}.`);
  return value;
}

function choice<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === text);
  if (!found) throw new RangeError(`--${name} must be one of ${allowed.join(', ')}.`);
  return found;
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function runFromTerminal(): Promise<void> {
  const spec = specFromArguments(process.argv.slice(2));
  if (!spec) return void process.stdout.write(`${usage}\n`);
  const simulator = await startFromSpec(spec);
  const addresses = spec.cameras.map(({ path }) => simulator.url(path, { bare: true }));
  say({ ready: true, pid: process.pid, port: simulator.port, cameras: addresses });
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => void obey(simulator, line));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      input.close();
      process.stdin.destroy();
      void simulator.close();
    });
  }
}

async function obey(simulator: Simulator, line: string): Promise<void> {
  try {
    const command = JSON.parse(line) as { path: string; name: CallName; args?: unknown[] };
    say({ ok: true, result: await perform(simulator, command.path, command.name, command.args ?? []) });
  } catch (error) {
    say({ ok: false, error: (error as Error).message });
  }
}

/** Under a parent: its messages are the only input, its end is the end. */
function runUnderParent(): void {
  let simulator: Simulator | null = null;
  const tell = (message: FromSimulator) =>
    void process.send?.(message, undefined, undefined, ignoreGoneParent);
  process.on('message', async (message: ToSimulator) => {
    try {
      const result = await handle(message);
      tell({ type: 'reply', id: message.id, result });
      if (message.type === 'close') process.disconnect();
    } catch (error) {
      tell({ type: 'failed', id: message.id, message: (error as Error).message });
    }
  });
  process.on('disconnect', () => process.exit(0));

  async function handle(message: ToSimulator): Promise<unknown> {
    if (message.type === 'start') {
      simulator = await startFromSpec(message.spec);
      return { port: simulator.port, urls: simulator.cameras.map(({ path }) => simulator!.url(path)) };
    }
    if (!simulator) throw new Error('The simulator has not been started.');
    if (message.type === 'close') return simulator.close();
    const { path } = message;
    if (message.type === 'call') return perform(simulator, path, message.name, message.args);
    simulator.camera(path).watchFrames((frame) => tell({ type: 'frame', path, frame }));
    return null;
  }
}

/** The parent left between two messages; `disconnect` follows. */
function ignoreGoneParent(): void {}

if (process.send && process.argv[2] === '--forked') runUnderParent();
else {
  try {
    await runFromTerminal();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}
