// The running service that fuzzers of its doors work on: started with sign-in and cameras, watched, and judged afterwards.
// What is sent to it is fuzz-rest.ts's and fuzz-sockets.ts's.

import { existsSync, readFileSync } from 'node:fs';
import { sceneClip } from '../simulator/clips.ts';
import { startSimulator } from '../simulator/server.ts';
import { inspectable, type LiveMemory, watchLiveMemory } from '../test/support/live-memory.ts';
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
  /** What the service's process holds after a first tenth, and at the end; workers have a limit of theirs. */
  readonly held: readonly [before: Held, after: Held];
}

/** Of the service's process, all garbage collected. */
export interface Held {
  /** Objects and what they hold outside the heap, bytes. */
  readonly live: number;
  /** Memory of its own, bytes: beside that, what native code holds and what the allocator has not given back. */
  readonly resident: number;
  readonly descriptors: number;
}

/** Sends `count` somethings from number `from` on. */
export type Fuzzer = (setting: FuzzSetting, count: number) => Promise<FuzzOutcome>;

/** Code that is compiled as it gets hot, and up to `MAX_STREAMS` cameras with their last second of video. */
const mostLiveGrowth = 20e6;
const mostResidentGrowth = 100e6;
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
    env: {
      RTSP_ALLOWED_NETWORKS: '127.0.0.1/32',
      MAX_STREAMS: '30',
      ALLOWED_HOSTS: '127.0.0.1,localhost',
      ...inspectable,
    },
  });
  try {
    const readLive = await watchLiveMemory(service);
    const setting = await settle(service, simulator.url('/cam'), createRandom(seed));
    const started = performance.now();
    // A first tenth fills caches and compiles code: growth is counted from there.
    const first = await fuzzer(setting, Math.ceil(count / 10));
    const before = await rest(service, readLive);
    onProgress(`a tenth after ${Math.round((performance.now() - started) / 1000)} s`);
    const second = await fuzzer(setting, count - Math.ceil(count / 10));
    const seconds = (performance.now() - started) / 1000;
    const after = await rest(service, readLive, before);
    const answers = new Map(first.answers);
    for (const [answer, times] of second.answers) answers.set(answer, (answers.get(answer) ?? 0) + times);
    const failures = [...first.failures, ...second.failures, ...(await judge(service, before, after))];
    return { seed, seconds, answers, failures, held: [before, after] };
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

/** What it holds when it has come to rest; waits for what it held before, for a bounded time. */
async function rest(
  service: Service,
  readLive: () => Promise<LiveMemory>,
  before: Held | null = null,
): Promise<Held> {
  const began = performance.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    // A service that has ended holds nothing, which is said elsewhere.
    const { heap, external } = service.exitCode === null ? await readLive() : { heap: 0, external: 0 };
    const held = {
      live: heap + external,
      resident: ownMemory(service.pid),
      descriptors: service.fds(),
    };
    const waited = performance.now() - began;
    const calm =
      before === null ? waited > 2_000 : growths(before, held).every(({ by, most }) => by <= most / 2);
    if (calm || waited > settleMs) return held;
  }
}

function growths(before: Held, after: Held) {
  const growth = (what: keyof Held, most: number) => ({ what, by: after[what] - before[what], most });
  return [
    growth('live', mostLiveGrowth),
    growth('resident', mostResidentGrowth),
    growth('descriptors', mostDescriptorGrowth),
  ];
}

/** RssAnon of proc_pid_status(5), bytes; 0 when it is gone. */
function ownMemory(pid: number): number {
  if (!existsSync(`/proc/${pid}/status`)) return 0;
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

async function judge(service: Service, before: Held, after: Held): Promise<string[]> {
  const failures: string[] = [];
  if (service.exitCode !== null)
    return [`the service ended with ${service.exitCode}:\n${service.logs().slice(-2000)}`];
  const health = await fetch(`${service.baseUrl}/healthz`);
  if (health.status !== 200) failures.push(`/healthz answers ${health.status}`);
  for (const { what, by, most } of growths(before, after))
    if (by > most) failures.push(`${what} grew from ${before[what]} to ${after[what]}`);
  // pino's levels: 50 is error, 60 fatal.
  const errors = service
    .logs()
    .split('\n')
    .filter((line) => /"level":[56]0|unhandled|uncaught/i.test(line));
  failures.push(...errors.slice(0, 5).map((line) => `in the log: ${line.slice(0, 1000)}`));
  return failures;
}
