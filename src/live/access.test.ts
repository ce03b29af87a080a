// What a viewer (role) finds out by trying addresses. Real sockets and cameras are in test/live-access.test.ts.

import { expect, test } from 'vitest';
import type { Identity } from '../base/identity.ts';
import { BroadcastHub } from '../base/testing.ts';
import { ScriptedClock } from '../detect/testing.ts';
import { AppError } from '../errors.ts';
import { parseCameraUrl } from '../media/camera-url.ts';
import { AddressGate, refusalsAllowed } from './access.ts';

const vera: Identity = { kind: 'cookie', userId: 'vera', name: 'vera', role: 'viewer', sessionId: 'one' };

function attempts(gate: AddressGate) {
  return (host: string, by: Identity = vera) => {
    try {
      gate.admit(by, parseCameraUrl(`rtsp://${host}/`));
    } catch (error) {
      return error instanceof AppError ? error.status : error;
    }
    return 'in';
  };
}

test('a viewer who tries many addresses learns no more which are saved, in none of the sign-ins, for a while', async () => {
  const clock = new ScriptedClock();
  const gate = new AddressGate({ saved: ({ host }) => host === 'saved' }, clock);
  const attempt = attempts(gate);
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

test('instances count refused addresses together, whatever a neighbouring version says beside it', async () => {
  const clock = new ScriptedClock();
  const [hub, cameras] = [new BroadcastHub(), { saved: () => false }];
  const gates = [hub.join(), hub.join(), hub.join()].map((others) => new AddressGate(cameras, clock, others));
  hub.join().publish('live.address-refused', { somebody: 'else' });
  const instances = gates.map(attempts);
  for (let index = 0; index < refusalsAllowed; index++) expect(instances[index % 3]!('other')).toBe(403);
  expect(instances.map((attempt) => attempt('other'))).toEqual([429, 429, 429]);
  expect(instances[0]!('other', { ...vera, userId: 'victor' })).toBe(403);
  await clock.advance(15 * 60_000);
  gates[1]!.close();
  expect(instances[0]!('other')).toBe(403);
  for (let index = 1; index < refusalsAllowed; index++) expect(instances[2]!('other')).toBe(403);
  expect(instances.map((attempt) => attempt('other'))).toEqual([429, 403, 429]);
});
