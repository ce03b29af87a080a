import { expect, it } from 'vitest';
import { crashUnderAlerts } from './support/alert-crashes.ts';

it('after kill -9 at random moments, every alert that was told is stored with its image, and no image is left over', async () => {
  const report = await crashUnderAlerts({ kills: 8 });
  expect(report.faults).toEqual([]);
  expect(report.kills).toBe(8);
  expect(report.alertsTold).toBeGreaterThan(0);
  expect(report.acknowledged).toBeGreaterThan(0);
}, 180_000);
