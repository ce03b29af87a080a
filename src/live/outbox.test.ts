import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox.ts';

interface Shown {
  readonly id: number;
  readonly data: Uint8Array;
}

/** A viewer with a scripted clock: it reads what it is told to read. */
function viewer(pictureBytes = 20_000) {
  let now = 0;
  const pings: Uint8Array[] = [];
  const sent: number[] = [];
  const handOver: (() => void)[] = [];
  const clock = { now: () => now, wallTime: () => now, after: () => () => undefined };
  const outbox = new Outbox<Shown>(
    { send: (_data, done) => handOver.push(done), ping: (payload) => pings.push(payload) },
    clock,
    (picture) => sent.push(picture.id),
  );
  let id = 0;
  return {
    outbox,
    sent,
    pings,
    advance: (ms: number) => {
      now += ms;
    },
    offer: () => outbox.offer({ id: id++, data: new Uint8Array(pictureBytes) }),
    /** The operating system takes what was sent. */
    flush: () => {
      for (const done of handOver.splice(0)) done();
    },
    answer: () => {
      const ping = pings.shift();
      if (ping) outbox.onPong(ping);
    },
  };
}

describe('Outbox', () => {
  it('loses nothing for a viewer that reads', () => {
    const { outbox, sent, advance, offer, flush, answer } = viewer();
    for (let i = 0; i < 300; i++) {
      offer();
      flush();
      advance(5);
      answer();
      advance(61);
    }
    expect(sent).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(outbox.dropped).toBe(0);
  });

  it('keeps one picture, the newest, for a viewer that reads nothing', () => {
    const { outbox, sent, advance, offer, flush, answer } = viewer();
    for (let i = 0; i < 1_000; i++) {
      offer();
      flush();
      advance(66);
    }
    expect(sent.length).toBeLessThanOrEqual(16);
    expect(sent.length + outbox.dropped).toBe(999);
    answer();
    expect(sent.at(-1)).toBe(999);
  });

  it('never has more than 1.5 MB under way, however large the pictures are', () => {
    const { sent, offer, flush } = viewer(400_000);
    for (let i = 0; i < 20; i++) {
      offer();
      flush();
    }
    expect(sent.length).toBe(3);
  });

  it('keeps the delay of a slow link short: few pictures under way once answers come late', () => {
    const { outbox, sent, advance, offer, flush, answer } = viewer();
    offer();
    flush();
    advance(10);
    answer();
    let lastSent = 0;
    for (let i = 0; i < 200; i++) {
      offer();
      flush();
      advance(66);
      // One answer a second: what was sent before it was read by then.
      if (i % 15 === 14) {
        answer();
        lastSent = sent.length;
      }
    }
    expect(outbox.lagging).toBe(true);
    for (let i = 0; i < 14; i++) {
      offer();
      flush();
      advance(66);
    }
    expect(sent.length - lastSent).toBeLessThanOrEqual(2);
  });

  it('tells how long a viewer has not answered', () => {
    const { outbox, advance } = viewer();
    outbox.probe();
    advance(21_000);
    expect(outbox.unansweredMs()).toBe(21_000);
  });

  it('sends nothing that was waiting when the viewer paused', () => {
    const { outbox, sent, offer, flush } = viewer();
    for (let i = 0; i < 5; i++) offer();
    outbox.clear();
    flush();
    expect(sent).toEqual([0, 1]);
  });
});
