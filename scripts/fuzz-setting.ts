// The running service that fuzzers of its doors work on: started with sign-in and cameras, watched, and judged afterwards.
// What is sent to it is fuzz-rest.ts's and fuzz-sockets.ts's.

import { existsSync, readFileSync } from 'node:fs';
import { sceneClip } from '../simulator/clips.ts';
import { startSimulator } from '../simulator/server.ts';
import { bearer, type Headers, newAccount, type Service, startService } from '../test/support/service.ts';
import { createRandom, type Random } from './fuzz-random.ts';

/** What a fuzzer is given. */
export interface FuzzSetting {
  readonly service: Service;
  readonly random: Random;
  /** API tokens of every role, which cannot be signed out, a session, and wrong ones. */
  readonly identities: readonly Headers[];
  /** Must not be deleted or changed: their ids are not to be used. */
  readonly keptIds: ReadonlySet<string>;
  readonly cameraUrl: string;
  /** A saved stream of that camera. */
  readonly streamId: string;
}

export interface FuzzOutcome {
  /** How often each kind of answer came: a status, a close code. */
  readonly answers: ReadonlyMap<string, number>;
  /** Of answers that must not be, with what was sent; empty when all is well. */
  readonly failures: readonly string[];
}

export interface DoorReport extends FuzzOutcome {
  readonly seed: number;
  readonly seconds: number;
  /** Memory of its own of the service's process after a first tenth, and at the end, bytes; workers have a limit of theirs. */
  readonly memory: readonly [before: number, after: number];
  readonly descriptors: readonly [before: number, after: number];
}

/** Sends `count` somethings from number `from` on. */
export type Fuzzer = (setting: FuzzSetting, count: number) => Promise<FuzzOutcome>;

const mostMemoryGrowth = 150e6;
const mostDescriptorGrowth = 20;
/** Ad-hoc streams end ten seconds after their last viewer; then nothing of the fuzzing must be left. */
const settleMs = 30_000;

export async function fuzzService(
  fuzzer: Fuzzer,
  count: number,
  seed: number,
  onProgress: (text: string) => void = () => {},
): Promise<DoorReport> {
  const clip = await sceneClip({ gopSeconds: 1 });
  await using simulator = await startSimulator({ cameras: [{ path: '/cam', clip }] });
  const service = await startService({
    admin: newAccount('fuzz-admin'),
    env: { RTSP_ALLOWED_NETWORKS: '127.0.0.1/32', MAX_STREAMS: '30', ALLOWED_HOSTS: '127.0.0.1,localhost' },
  });
  try {
    const setting = await settle(service, simulator.url('/cam'), createRandom(seed));
    const started = performance.now();
    // A first tenth fills caches and compiles code: growth is counted from there.
    const first = await fuzzer(setting, Math.ceil(count / 10));
    const before = await rest(service);
    onProgress(`a tenth after ${Math.round((performance.now() - started) / 1000)} s`);
    const second = await fuzzer(setting, count - Math.ceil(count / 10));
    const seconds = (performance.now() - started) / 1000;
    const after = await rest(service, before);
    const answers = new Map(first.answers);
    for (const [answer, times] of second.answers) answers.set(answer, (answers.get(answer) ?? 0) + times);
    const memory = [before.memory, after.memory] as const;
    const descriptors = [before.descriptors, after.descriptors] as const;
    const failures = [...first.failures, ...second.failures, ...(await judge(service, memory, descriptors))];
    return { seed, seconds, answers, failures, memory, descriptors };
  } finally {
    await service.stop();
  }
}

async function settle(service: Service, cameraUrl: string, random: Random): Promise<FuzzSetting> {
  const keptIds = new Set<string>();
  const identities: Headers[] = [service.headers, {}, bearer('rsv_nobody'), bearer('a.b.c')];
  for (const role of ['admin', 'operator', 'viewer']) {
    const { token, secret } = await service.api<{ token: { id: string }; secret: string }>(
      'POST',
      '/api/tokens/',
      {
        name: `fuzz ${role}`,
        role,
      },
    );
    keptIds.add(token.id);
    identities.push(bearer(secret), bearer(secret));
  }
  const { users } = await service.api<{ users: { id: string }[] }>('GET', '/api/users/');
  for (const { id } of users) keptIds.add(id);
  const { cookie } = await service.signIn();
  identities.push({ cookie }, { cookie, origin: service.baseUrl });
  const { id: streamId } = await service.api<{ id: string }>('POST', '/api/streams/', {
    name: 'Camera',
    rtsp_url: cameraUrl,
    detection_enabled: false,
  });
  keptIds.add(streamId);
  return { service, random, identities, keptIds, cameraUrl, streamId };
}

interface Held {
  readonly memory: number;
  readonly descriptors: number;
}

/** What it holds when it has come to rest; waits for what it held before, for a bounded time. */
async function rest(service: Service, before: Held | null = null): Promise<Held> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const memory = ownMemory(service.pid);
    const descriptors = service.fds();
    const calm =
      before === null
        ? performance.now() > deadline - settleMs + 2_000
        : memory <= before.memory + mostMemoryGrowth / 2 &&
          descriptors <= before.descriptors + mostDescriptorGrowth / 2;
    if (calm || performance.now() > deadline) return { memory, descriptors };
  }
}

/** RssAnon of proc_pid_status(5), bytes; 0 when it is gone. */
function ownMemory(pid: number): number {
  if (!existsSync(`/proc/${pid}/status`)) return 0;
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

async function judge(
  service: Service,
  [memoryBefore, memoryAfter]: readonly [number, number],
  [descriptorsBefore, descriptorsAfter]: readonly [number, number],
): Promise<string[]> {
  const failures: string[] = [];
  if (service.exitCode !== null)
    return [`the service ended with ${service.exitCode}:\n${service.logs().slice(-2000)}`];
  const health = await fetch(`${service.baseUrl}/healthz`);
  if (health.status !== 200) failures.push(`/healthz answers ${health.status}`);
  if (memoryAfter - memoryBefore > mostMemoryGrowth)
    failures.push(`memory grew from ${memoryBefore} to ${memoryAfter} bytes`);
  if (descriptorsAfter - descriptorsBefore > mostDescriptorGrowth)
    failures.push(`descriptors grew from ${descriptorsBefore} to ${descriptorsAfter}`);
  // pino's levels: 50 is error, 60 fatal.
  const errors = service
    .logs()
    .split('\n')
    .filter((line) => /"level":[56]0|unhandled|uncaught/i.test(line));
  failures.push(...errors.slice(0, 5).map((line) => `in the log: ${line.slice(0, 1000)}`));
  return failures;
}
