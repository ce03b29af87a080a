import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

it('100,000 bent inputs do no harm to any parser', () => {
  const report = fuzz(100_000, 42);
  expect(report.failure).toBe('');
  expect(report.inputs).toBe(100_000);
  expect(report.retainedBytes).toBeLessThan(9 * 1024 * 1024);
});
