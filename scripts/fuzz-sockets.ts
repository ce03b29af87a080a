// Random messages on many WebSockets of a running service: commands, bent ones, binary, fragments, broken frames.
// Fails on a close code that says that something went wrong in the service, and on none at all where one is due.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import WebSocket from 'ws';
import { bend, oddity, pick, type Random } from './fuzz-random.ts';
import type { FuzzOutcome, FuzzSetting } from './fuzz-setting.ts';

const sockets = 24;
/** Between two looks at whether the service keeps up. */
const burst = 250;
const answerMs = 20_000;
const keptFailures = 10;
/** An internal error, as RFC 6455 §7.4.1 calls it. */
const internalError = 1011;

const commands = [
  'start',
  'pause',
  'resume',
  'stop_stream',
  'close',
  'format',
  'START',
  '',
  '__proto__',
  'constructor',
];

export async function fuzzSockets(setting: FuzzSetting, count: number): Promise<FuzzOutcome> {
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let left = count;
  const note = (answer: string) => answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const work = async () => {
    while (left > 0 && failures.length < keptFailures) {
      const socket = await open(setting, note);
      if (socket === null) continue;
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      while (left > 0 && socket.readyState === WebSocket.OPEN) {
        const messages = Math.min(burst, left);
        left -= messages;
        for (let i = 0; i < messages; i += 1) sendOne(setting, socket);
        note(`bursts of ${burst}`);
        // Leaving again and again is part of it.
        if (setting.random(40) === 0) break;
        if (!(await answersPing(socket))) failures.push('no answer to a ping, and no close either');
      }
      if (setting.random(2)) socket.close(1000);
      else socket.terminate();
      const code = await closed;
      note(`closed with ${code}`);
      if (code === internalError) failures.push(`closed with ${code}`);
    }
  };
  await Promise.all(Array.from({ length: sockets }, work));
  return { answers, failures };
}

/** Null when it was refused, which is noted. */
async function open(
  { service, random, identities, streamId, cameraUrl }: FuzzSetting,
  note: (answer: string) => void,
): Promise<WebSocket | null> {
  const path = pick(random, [
    '/ws/events/',
    `/ws/stream/?stream_id=${streamId}`,
    `/ws/stream/?stream_id=${streamId}`,
    `/ws/stream/?url=${encodeURIComponent(cameraUrl)}`,
    `/ws/stream/?url=${encodeURIComponent(`rtsp://127.0.0.1:9/${random(5)}`)}`,
    `/ws/stream/?stream_id=${streamId}&fps=${random(80)}`,
    `/ws/stream/?stream_id=${streamId}&format=${pick(random, ['jpeg', 'annexb', 'mp4', 'x', '__proto__'])}`,
    `/ws/stream/?stream_id=__proto__`,
    '/ws/stream/',
  ]);
  const socket = new WebSocket(service.socketUrl(path), {
    headers: pick(random, identities),
    perMessageDeflate: random(4) === 0,
  });
  socket.on('message', () => {});
  const refused = new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve(error.message));
    socket.once('close', (code) => resolve(`closed with ${code}`));
  });
  const outcome = await Promise.race([
    once(socket, 'open').then(
      () => null,
      () => refused,
    ),
    refused,
  ]);
  if (outcome === null) return socket;
  note(outcome);
  socket.terminate();
  return null;
}

function sendOne({ random, cameraUrl }: FuzzSetting, socket: WebSocket): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  const text = () => commandText(random, cameraUrl);
  switch (random(16)) {
    case 0:
      socket.send(bytes(random, random(300)), { binary: true });
      return;
    case 1: {
      const whole = text();
      const cut = random(whole.length + 1);
      socket.send(whole.slice(0, cut), { fin: false });
      socket.send(whole.slice(cut), { fin: true });
      return;
    }
    case 2:
      socket.ping(bytes(random, random(125)));
      return;
    case 3:
      socket.pong(bytes(random, random(125)));
      return;
    case 4:
      if (random(400) === 0) socket.send('x'.repeat(1_000_000));
      else if (random(200) === 0) raw(socket, bytes(random, 1 + random(64)));
      else socket.send('');
      return;
    default:
      socket.send(text());
  }
}

function commandText(random: Random, cameraUrl: string): string {
  const command: Record<string, unknown> = {
    command: random(10) ? pick(random, commands.slice(0, 4)) : pick(random, commands),
  };
  if (random(4) === 0)
    command.rtsp_url = random(2)
      ? pick(random, [cameraUrl, 'rtsp://127.0.0.1:9/x', 'file:///etc/passwd'])
      : oddity(random);
  if (random(6) === 0) command.format = random(2) ? pick(random, ['jpeg', 'annexb', 'mp4']) : oddity(random);
  if (random(20) === 0)
    command[pick(random, ['__proto__', 'constructor', 'type', 'fps', ''])] = oddity(random);
  const text = JSON.stringify(random(15) ? command : oddity(random));
  return random(5) ? text : bend(random, text);
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** Past the library, which would send no such thing. */
function raw(socket: WebSocket, data: Buffer): void {
  (socket as unknown as { readonly _socket?: Socket })._socket?.write(data);
}

/** Everything sent before has been read by then. True as well when it was closed meanwhile. */
function answersPing(socket: WebSocket): Promise<boolean> {
  if (socket.readyState !== WebSocket.OPEN) return Promise.resolve(true);
  const mark = `mark ${performance.now()}`;
  return new Promise((resolve) => {
    const done = (answer: boolean) => {
      clearTimeout(timer);
      socket.off('pong', onPong).off('close', onClose);
      resolve(answer);
    };
    const onPong = (data: Buffer) => {
      if (data.toString() === mark) done(true);
    };
    const onClose = () => done(true);
    const timer = setTimeout(() => done(false), answerMs);
    socket.on('pong', onPong).on('close', onClose);
    socket.ping(mark);
  });
}
