// Somebody guesses passwords without pause: what it costs those who use the service.
// That guesses are refused early, and how few are hashed, is counted by what the service answers.

import { newAccount, startService } from '../../test/support/service.ts';
import { percentile } from '../figures.ts';
import { pause } from '../setting.ts';
import type { Section } from './section.ts';

const guesses = 10_000;
const atOnce = 16;
const askEveryMs = 10;

export const signIn: Section = {
  name: 'sign-in',
  about: `${guesses} wrong sign-ins in a row, while /healthz is asked`,
  async run() {
    const service = await startService({ admin: newAccount('root') });
    try {
      const cpuBefore = service.figures().cpuMs;
      const startedAt = performance.now();
      const { statuses, healthTimes } = await guessAndAsk((path, method, body) =>
        service.request(method, path, body, {}),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      const cpu = (service.figures().cpuMs - cpuBefore) / 1000;
      // 401 follows a hash; 429 comes before one.
      const hashed = guesses - (statuses.get(429) ?? 0);
      const section = 'sign-in';
      return [
        {
          section,
          name: 'refused before any hashing (429)',
          value: ((guesses - hashed) / guesses) * 100,
          unit: '%',
          target: { atLeast: 99 },
        },
        { section, name: 'passwords hashed', value: hashed, unit: '', target: { atMost: 100 } },
        { section, name: '/healthz meanwhile, p50', value: percentile(healthTimes, 0.5), unit: 'ms' },
        {
          section,
          name: '/healthz meanwhile, p99',
          value: percentile(healthTimes, 0.99),
          unit: 'ms',
          target: { atMost: 50 },
        },
        { section, name: 'guesses', value: guesses / seconds, unit: 'a second' },
        { section, name: 'processor time for all of them', value: cpu, unit: 's' },
      ];
    } finally {
      await service.stop();
    }
  },
};

type Send = (path: string, method: string, body?: unknown) => Promise<Response>;

async function guessAndAsk(
  send: Send,
): Promise<{ readonly statuses: Map<number, number>; readonly healthTimes: number[] }> {
  const statuses = new Map<number, number>();
  const healthTimes: number[] = [];
  let next = 0;
  const guess = async () => {
    while (next < guesses) {
      const number = next++;
      const reply = await send('/api/login/', 'POST', { username: 'root', password: `guess ${number}` });
      await reply.arrayBuffer();
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    }
  };
  let guessing = true;
  const ask = async () => {
    while (guessing) {
      const askedAt = performance.now();
      const reply = await send('/healthz', 'GET');
      await reply.arrayBuffer();
      healthTimes.push(performance.now() - askedAt);
      await pause(askEveryMs);
    }
  };
  const asking = ask();
  await Promise.all(Array.from({ length: atOnce }, guess));
  guessing = false;
  await asking;
  return { statuses, healthTimes };
}
