// What a viewer (role) finds out by trying addresses. Real sockets and cameras are in test/live-access.test.ts.

import { expect, test } from 'vitest';
import type { Identity } from '../base/identity.ts';
import { ScriptedClock } from '../detect/testing.ts';
import { AppError } from '../errors.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { AddressGate, refusalsAllowed } from './access.ts';

const vera: Identity = { kind: 'cookie', userId: 'vera', name: 'vera', role: 'viewer', sessionId: 'one' };

test('a viewer who tries many addresses learns no more which are saved, in none of the sign-ins, for a while', async () => {
  const clock = new ScriptedClock();
  const gate = new AddressGate({ saved: ({ host }) => host === 'saved' }, clock);
  const attempt = (host: string, by: Identity = vera) => {
    try {
      gate.admit(by, parseCameraUrl(`rtsp://${host}/`));
    } catch (error) {
      return error instanceof AppError ? error.status : error;
    }
    return 'in';
  };
  for (let index = 0; index < refusalsAllowed; index++) {
    expect(attempt('saved')).toBe('in');
    expect(attempt(`other-${index}`)).toBe(403);
  }
  const elsewhere = { ...vera, sessionId: 'two' };
  for (const host of ['other', 'saved'])
    expect([attempt(host), attempt(host, elsewhere)]).toEqual([429, 429]);
  expect(attempt('saved', { ...vera, userId: 'victor' })).toBe('in');
  expect(attempt('other', { ...vera, role: 'operator' })).toBe('in');
  await clock.advance(15 * 60_000);
  expect([attempt('saved'), attempt('other')]).toEqual(['in', 403]);
});
