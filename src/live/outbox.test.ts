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

/** Offers pictures at 15 a second over a way of `latency` ms and `bytesPerMs`, and answers pings as the viewer would. */
function throttled(pictureBytes: number, bytesPerMs: number, latency: number, seconds: number) {
  let now = 0;
  const clock = { now: () => now, wallTime: () => now, after: () => () => undefined };
  const shown: { readonly at: number; readonly delay: number }[] = [];
  let wayFreeAt = 0;
  const due: { readonly at: number; readonly fn: () => void }[] = [];
  const arrives = (bytes: number, fn: () => void) => {
    wayFreeAt = Math.max(wayFreeAt, now) + bytes / bytesPerMs;
    due.push({ at: wayFreeAt + latency / 2, fn });
  };
  let offeredAt = 0;
  const outbox = new Outbox<Shown & { readonly offeredAt: number }>(
    {
      send: (data, done) => {
        const offered = offeredAt;
        done();
        arrives(data.byteLength, () => shown.push({ at: now, delay: now - offered }));
      },
      ping: (payload) =>
        arrives(6, () => due.push({ at: now + latency / 2, fn: () => outbox.onPong(payload) })),
    },
    clock,
    () => undefined,
  );
  outbox.probe();
  for (let frame = 0; frame < seconds * 15; frame++) {
    const next = (frame * 1_000) / 15;
    for (;;) {
      due.sort((a, b) => a.at - b.at);
      if (due.length === 0 || due[0]!.at > next) break;
      const { at, fn } = due.shift()!;
      now = at;
      fn();
    }
    now = next;
    offeredAt = now;
    outbox.offer({ id: frame, offeredAt: now, data: new Uint8Array(pictureBytes) });
  }
  const late = shown.filter(({ at }) => at > 10_000);
  return {
    late,
    worst: Math.max(...late.map(({ delay }) => delay)),
    perSecond: late.length / (seconds - 10),
    outbox,
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
    expect(sent.length).toBeLessThanOrEqual(2);
    expect(sent.length + outbox.dropped).toBe(999);
    answer();
    answer();
    expect(sent.at(-1)).toBe(999);
  });

  it('never has more than 1.5 MB under way, however large the pictures are', () => {
    const { sent, advance, offer, flush, answer } = viewer(400_000);
    for (let i = 0; i < 50; i++) {
      offer();
      flush();
      advance(5);
      answer();
    }
    const before = sent.length;
    for (let i = 0; i < 20; i++) {
      offer();
      flush();
    }
    expect(sent.length - before).toBeLessThanOrEqual(3);
  });

  it.each([
    [18_000, 40, 20],
    [18_000, 80, 20],
    [18_000, 120, 20],
    [16_000, 8, 20],
    [60_000, 45, 20],
    [18_000, 120, 300],
  ])(
    'holds the delay of %i-byte pictures on a way of %i kB/s and %i ms near that of one or two pictures',
    (bytes, kBps, latency) => {
      const { worst, perSecond, outbox } = throttled(bytes, kBps, latency, 60);
      const onePicture = bytes / kBps;
      expect(worst).toBeLessThanOrEqual(Math.max(2.5 * onePicture, 900) + latency);
      expect(perSecond).toBeGreaterThan((0.5 * 1_000) / Math.max(onePicture, latency));
      expect(outbox.dropped).toBeGreaterThan(0);
    },
  );

  it.each([1, 100, 300, 500])('gives every picture to a quick viewer %i ms away', (latency) => {
    const { perSecond, worst } = throttled(18_000, 5_000, latency, 60);
    expect(perSecond).toBeGreaterThan(14.5);
    expect(worst).toBeLessThan(latency + 100);
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
