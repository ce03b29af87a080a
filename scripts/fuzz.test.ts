import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { fuzzRest } from './fuzz-rest.ts';
import { fuzzService } from './fuzz-setting.ts';
import { fuzzSockets } from './fuzz-sockets.ts';

it('100,000 bent inputs do no harm to any parser', () => {
  const report = fuzz(100_000, 42);
  expect(report.failure).toBe('');
  expect(report.inputs).toBe(100_000);
  expect(report.retainedBytes).toBeLessThan(9 * 1024 * 1024);
});

it('1,500 random and bent requests to a running service: no 5xx, no crash, no growth', async () => {
  const { answers, failures } = await fuzzService(fuzzRest, 1_500, 42);
  expect(failures).toEqual([]);
  // The fuzzer gets behind the doors: it would prove little if everything were refused.
  expect(answers.get('200') ?? 0).toBeGreaterThan(50);
}, 180_000);

it('20,000 random messages on many sockets of a running service: no crash, no growth', async () => {
  const { answers, failures } = await fuzzService(fuzzSockets, 20_000, 42);
  expect(failures).toEqual([]);
  expect(answers.get('bursts of 250') ?? 0).toBeGreaterThan(70);
}, 180_000);
