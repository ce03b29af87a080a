// The codec worker: a child process that turns access units into pictures and holds nothing worth keeping.
// Messages in and out, and the process's own life; what happens to a unit is in channel.ts.

import { AV_LOG_QUIET } from 'node-av/constants';
import { Log } from 'node-av/lib';
import type { FromWorker, ToWorker } from '../messages.ts';
import { AudioChannel } from './audio-channel.ts';
import { Channel } from './channel.ts';
import { ChannelFaces } from './faces.ts';

/** Between two trouble messages of one channel, ms. */
const reportEvery = 1000;
/** Between two messages of what this process costs, ms. */
const usageEvery = 5000;

interface Entry {
  readonly channel: Channel;
  readonly reporter: { stop(): void };
}

const channels = new Map<number, Entry>();
const sounds = new Map<number, { readonly channel: AudioChannel; readonly reporter: { stop(): void } }>();
/** The end of the queue of channels under suspicion. */
let lastTurn: Promise<void> = Promise.resolve();

function post(message: FromWorker): void {
  if (process.connected) process.send!(message);
}

/** At most one message a second: the first failure at once, later ones counted and told with the latest text. */
function createReporter(channel: number) {
  let errors = 0;
  let latest = '';
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    timer = null;
    if (errors === 0) return;
    post({ type: 'trouble', channel, message: latest, errors });
    errors = 0;
    timer = setTimeout(flush, reportEvery);
  };
  return {
    add(message: string): void {
      errors += 1;
      latest = message;
      if (!timer) flush();
    },
    stop(): void {
      if (timer) clearTimeout(timer);
    },
  };
}

/** Who is to be watched, for so long, works only when it is its turn, and says so first. */
function takingTurns(channel: number, carefulFor: number) {
  const carefulUntil = performance.now() + carefulFor;
  return (work: () => Promise<void>): Promise<void> => {
    if (performance.now() >= carefulUntil) return work();
    const result = lastTurn.then(() => {
      post({ type: 'begin', channel });
      return work();
    });
    // The failure is its own channel's affair; the next in the queue only waits for the end.
    lastTurn = result.catch(() => undefined);
    return result;
  };
}

function openSound({ channel, audio, carefulFor }: Extract<ToWorker, { type: 'open-sound' }>): void {
  const reporter = createReporter(channel);
  const made = new AudioChannel(audio, {
    done: (pieces, worked) => post({ type: 'sound', channel, pieces, worked }),
    failed: (message) => reporter.add(message),
    turn: takingTurns(channel, carefulFor),
  });
  sounds.set(channel, { channel: made, reporter });
}

function open({ channel, codec, options, wants, carefulFor }: Extract<ToWorker, { type: 'open' }>): void {
  const reporter = createReporter(channel);
  const faces = new ChannelFaces(channel, options, {
    found: (found, images) => post({ type: 'faces', channel, found, images }),
    detector: (state, reason) => post({ type: 'detector', channel, state, reason }),
    failed: (message) => reporter.add(message),
  });
  const made = new Channel(codec, options, wants, faces, {
    done: (pictures, worked) => post({ type: 'done', channel, pictures, worked }),
    failed: (message) => reporter.add(message),
    turn: takingTurns(channel, carefulFor),
  });
  channels.set(channel, { channel: made, reporter });
}

/** Tells what this process with all its threads costs, since the service can ask the system for it on Linux only. */
function reportUsage(): void {
  let before = process.cpuUsage();
  let at = performance.now();
  setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    const now = performance.now();
    post({ type: 'usage', cpu: (user + system) / 1000 / (now - at), memory: process.memoryUsage.rss() });
    before = process.cpuUsage();
    at = now;
  }, usageEvery).unref();
}

process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'open':
      return open(message);
    case 'want':
      return channels.get(message.channel)?.channel.want(message.wants);
    case 'unit':
      return channels.get(message.channel)?.channel.push(message);
    case 'open-sound':
      return openSound(message);
    case 'sound':
      return sounds.get(message.channel)?.channel.push(message);
    case 'close': {
      const entry = channels.get(message.channel) ?? sounds.get(message.channel);
      channels.delete(message.channel);
      sounds.delete(message.channel);
      entry?.reporter.stop();
      return entry?.channel.close();
    }
  }
});

// Without the service there is nobody to work for. SIGKILL, since a normal exit waits for decoders that may hang.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Signals to the whole process group are for the service, which ends its workers in its own order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

Log.setLevel(AV_LOG_QUIET);
post({ type: 'ready' });
reportUsage();
