// What `npm test` leaves out on a machine without the real components, and that CI leaves out nothing.
// Environment variables stand for the machine; nothing is started here.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { absentComponents, absentVariable, findChromium, skipsWithout } from './components.ts';

describe('a missing component', () => {
  const before = { ...process.env };
  beforeEach(() => {
    process.env[absentVariable] = 'gst-rtsp-server';
    delete process.env.CI;
  });
  afterEach(() => {
    for (const name of ['CI', 'CHROMIUM_PATH', absentVariable]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  it('is skipped on a developer’s machine, and only that one', () => {
    expect(absentComponents()).toEqual(['gst-rtsp-server']);
    expect(skipsWithout('gst-rtsp-server')).toBe(true);
    expect(skipsWithout('chromium')).toBe(false);
  });

  it('is never skipped in CI', () => {
    process.env.CI = 'true';
    expect(skipsWithout('gst-rtsp-server')).toBe(false);
  });

  it('is looked for on the machine when nobody has looked before', () => {
    delete process.env[absentVariable];
    process.env.CHROMIUM_PATH = '/anywhere/chrome';
    expect(findChromium()).toBe('/anywhere/chrome');
    expect(absentComponents()).not.toContain('chromium');
  });
});
