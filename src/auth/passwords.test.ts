// Hashing passwords: off the main thread, a bounded number at a time, and nobody keeps all the others waiting.

import { expect, test } from 'vitest';
import { everyone } from '../base/identity.ts';
import { askersOf } from './limits.ts';
import { Passwords } from './passwords.ts';
import { addUser, cheap, here, refusalOf, startWorld } from './testing.ts';

test('more passwords than can be checked are refused, not queued without end', async () => {
  const passwords = new Passwords({ cost: cheap, atOnce: 2, waiting: 3 });
  const refusals = await Promise.all(
    Array.from({ length: 20 }, () => refusalOf(passwords.hash('correct horse'))),
  );
  expect(refusals.slice(0, 5)).toEqual(Array(5).fill('no refusal'));
  expect(refusals.slice(5)).toEqual(Array(15).fill('503 sign_in_busy'));
  expect(passwords.hashed).toBe(5);
  expect(await refusalOf(passwords.hash('correct horse'))).toBe('no refusal');
});

test('hashing does not hold up the main thread', async () => {
  const passwords = new Passwords();
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const hash = await passwords.hash('correct horse');
  clearInterval(timer);
  // On the main thread it would be none at all.
  expect(turns).toBeGreaterThan(3);
  expect(await passwords.verify('correct horse', hash)).toEqual({ right: true, outdated: false });
  expect(await passwords.verify('correct horsE', hash)).toEqual({ right: false, outdated: false });
  expect((await passwords.verify('', 'damaged')).right).toBe(false);
});

test('no address or user keeps others waiting with more than a few passwords at the same time', async () => {
  const passwords = new Passwords({ cost: cheap, atOnce: 2, waiting: 16 });
  const ask = (askers: readonly string[]) => refusalOf(passwords.hash('correct horse', askers));
  const from = (address: string) => ask(askersOf({ address, agent: null }));
  const many = (address: (index: number) => string) =>
    Promise.all(Array.from({ length: 10 }, (_, index) => from(address(index))));
  const four = [...Array(4).fill('no refusal'), ...Array(6).fill('429 too_many_attempts')];
  expect(await many(() => '192.0.2.1')).toEqual(four);
  // Of IPv6 one host has a whole network.
  expect(await many((index) => `2001:db8::${index}`)).toEqual(four);
  const admin = { ...everyone, userId: 'somebody' };
  const byUser = Array.from({ length: 10 }, (_, index) =>
    ask(askersOf({ address: `192.0.2.${index}`, agent: null }, admin)),
  );
  expect(await Promise.all(byUser)).toEqual(four);
  const crowd = many(() => '192.0.2.1');
  expect(await Promise.all([from('192.0.2.2'), from('192.0.2.3')])).toEqual(['no refusal', 'no refusal']);
  await crowd;
  expect(await from('192.0.2.1')).toBe('no refusal');
});

test('of many changes of one’s own password at once one is worked on, and others sign in meanwhile', async () => {
  await using world = await startWorld();
  const { accounts } = world;
  const root = await world.setUp();
  const viewer = await addUser(world, root.identity, 'viewer', 'viewer');
  const before = world.auth.passwordHashes();
  const change = { current: 'wrong horse', password: 'another horse' };
  const changes = Array.from({ length: 40 }, () =>
    refusalOf(accounts.changeOwnPassword(viewer.identity, change, here)),
  );
  await accounts.login({ username: 'root', password: 'correct horse' }, { ...here, address: '192.0.2.99' });
  const outcomes = await Promise.all(changes);
  expect(outcomes.sort()).toEqual(['401 wrong_credentials', ...Array(39).fill('429 too_many_attempts')]);
  expect(world.auth.passwordHashes() - before).toBe(2);
  const right = { current: 'correct horse', password: 'another horse' };
  expect(await refusalOf(accounts.changeOwnPassword(viewer.identity, right, here))).toBe('no refusal');
  const [changed, failed] = await world.audit.list({ limit: 10, actor: 'viewer' });
  expect(changed).toMatchObject({ action: 'password_changed' });
  expect(failed).toMatchObject({ action: 'sign_in_failed', detail: 'wrong current password' });
});
