import { describe, expect, it } from 'vitest';
import type { Packet, PacketSetup } from '../stream/live-camera.ts';
import { PacketOutbox } from './packet-outbox.ts';

const setup: PacketSetup = {
  format: 'mp4',
  codec: 'avc1.42C01E',
  mime: 'video/mp4',
  width: 640,
  height: 480,
  fps: 25,
  init: Uint8Array.of(0),
  track: null,
};

interface Numbered extends Packet {
  readonly number: number;
}

/** A viewer with a scripted clock and link: it is told what to take and to read. */
function viewer() {
  let now = 0;
  const clock = { now: () => now, wallTime: () => now, after: () => () => undefined };
  const sent: (number | string)[] = [];
  const pings: Uint8Array[] = [];
  const handOver: (() => void)[] = [];
  let bytesHeld = 0;
  const firstBytes: number[] = [];
  const outbox = new PacketOutbox({
    socket: {
      send: (data, done) => {
        bytesHeld += data.length;
        firstBytes.push(data[0]!);
        handOver.push(() => {
          bytesHeld -= data.length;
          done();
        });
      },
      ping: (payload) => pings.push(payload),
    },
    clock,
    onSetup: ({ width, init }) => {
      sent.push(`setup ${width}`);
      return init;
    },
    onSent: (packet) => sent.push((packet as Numbered).number),
  });
  return {
    outbox,
    sent,
    /** The first byte of each message since the last time. */
    handed: () => firstBytes.splice(0),
    /** Given to the socket, and not taken by the system. */
    held: () => bytesHeld,
    advance: (ms: number) => {
      now += ms;
    },
    flush: () => {
      for (const done of handOver.splice(0)) done();
    },
    answer: () => {
      for (const ping of pings.splice(0)) outbox.onPong(ping);
    },
    pings,
  };
}

function packet(number: number, { keyframe = number % 25 === 0, bytes = 10_000, of = setup } = {}): Numbered {
  return {
    number,
    setup: of,
    data: new Uint8Array(bytes),
    keyframe,
    timestamp: number * 40_000,
    receivedAt: 0,
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('packets for a viewer', () => {
  it('begin with what they are, and the frames since the keyframe', () => {
    const { outbox, sent } = viewer();
    outbox.begin(range(0, 5).map((number) => packet(number)));
    outbox.offer(packet(5));
    expect(sent).toEqual(['setup 640', 0, 1, 2, 3, 4, 5]);
    expect(outbox.lagging).toBe(false);
  });

  it('begin with the next keyframe where there is none yet, and nothing counts as lost', () => {
    const { outbox, sent } = viewer();
    outbox.begin([]);
    for (const number of range(20, 28)) outbox.offer(packet(number));
    expect(sent).toEqual(['setup 640', 25, 26, 27]);
    expect(outbox.dropped).toBe(0);
  });

  it('are told of anew when they change, and when the viewer begins anew', () => {
    const { outbox, sent } = viewer();
    const other = { ...setup, width: 320 };
    outbox.begin([packet(0)]);
    outbox.offer(packet(25, { of: other }));
    outbox.begin([packet(25, { of: other })]);
    expect(sent).toEqual(['setup 640', 0, 'setup 320', 25, 'setup 320', 25]);
  });

  it('since a keyframe are sent as fast as they are taken, however many they are', () => {
    const { outbox, sent, held, flush, answer } = viewer();
    outbox.begin(range(0, 200).map((number) => packet(number, { keyframe: number === 0, bytes: 50_000 })));
    for (let i = 0; i < 200 && sent.length < 201; i++) {
      expect(held()).toBeLessThan(400_000);
      flush();
      answer();
    }
    expect(sent.slice(1)).toEqual(range(0, 200));
    expect(outbox.dropped).toBe(0);
    expect(outbox.lagging).toBe(false);
  });

  it('are skipped up to a keyframe for a viewer that does not read, and bounded', () => {
    const { outbox, sent, held, advance, flush, answer } = viewer();
    outbox.begin([packet(0)]);
    flush();
    answer();
    for (const number of range(1, 250)) {
      advance(40);
      outbox.offer(packet(number, { bytes: 40_000 }));
      expect(held()).toBeLessThan(2_000_000);
    }
    const before = sent.length;
    expect(before).toBeLessThan(40);
    flush();
    answer();
    for (const number of range(250, 280)) {
      advance(40);
      outbox.offer(packet(number, { bytes: 40_000 }));
      flush();
      answer();
    }
    const numbers = sent.filter((one) => typeof one === 'number');
    const resumed = numbers.filter((number, i) => i > 0 && number !== numbers[i - 1]! + 1);
    expect(resumed.length).toBeGreaterThan(0);
    for (const number of resumed) expect(number % 25).toBe(0);
    expect(numbers.slice(-30)).toEqual(range(250, 280));
    expect(outbox.dropped).toBe(280 - numbers.length);
    expect(outbox.lagging).toBe(false);
  });

  it('wait for an answer that is late instead of filling the way with seconds of video', () => {
    const { outbox, sent, advance, flush, answer, pings } = viewer();
    outbox.begin([packet(0)]);
    flush();
    advance(20);
    answer();
    // From now on the link takes everything and the viewer reads nothing.
    for (const number of range(1, 25)) {
      advance(40);
      outbox.offer(packet(number, { bytes: 3_000 }));
      flush();
    }
    expect(pings.length).toBe(1);
    // Of one second no more than what was sent until the answer was late.
    const stopped = sent.length;
    expect(stopped).toBeLessThan(23);
    expect(outbox.dropped).toBe(0);
    answer();
    expect(sent.slice(1)).toEqual(range(0, 25));
  });

  it('are not lost by a hiccup shorter than a keyframe takes', () => {
    const { outbox, sent, advance, flush, answer } = viewer();
    outbox.begin([packet(20, { keyframe: true })]);
    flush();
    answer();
    outbox.offer(packet(21, { bytes: 250_000 }));
    for (const number of range(22, 28)) {
      advance(30);
      outbox.offer(packet(number));
    }
    flush();
    answer();
    expect(sent.slice(1)).toEqual(range(20, 28));
    expect(outbox.dropped).toBe(0);
  });

  it('larger than all that may be on the way are sent alone', () => {
    const { outbox, sent, flush, answer } = viewer();
    outbox.begin([packet(0)]);
    outbox.offer(packet(1, { bytes: 4_000_000 }));
    outbox.offer(packet(2));
    for (let i = 0; i < 5; i++) {
      flush();
      answer();
    }
    expect(sent).toEqual(['setup 640', 0, 1, 2]);
  });

  it('lose their sound where they lose frames, and only frames count', () => {
    const { outbox, sent, handed, advance, flush, answer } = viewer();
    const sound = (number: number) => ({ data: Uint8Array.of(100 + number), receivedAt: 0 });
    outbox.offerSound(sound(0));
    outbox.begin([packet(0)]);
    outbox.offerSound(sound(1));
    expect(handed()).toEqual([0, 0, 101]);
    // The link stands still: frames and sound wait together, and are dropped together.
    for (const number of range(1, 60)) {
      outbox.offer(packet(number, { keyframe: false, bytes: 100_000 }));
      outbox.offerSound(sound(number));
      advance(40);
    }
    const lost = 59 - (sent.length - 2);
    expect(lost).toBeGreaterThan(20);
    expect(outbox.dropped).toBe(lost);
    flush();
    answer();
    handed();
    outbox.offerSound(sound(60));
    expect(handed()).toEqual([]);
    outbox.offer(packet(75));
    outbox.offerSound(sound(75));
    expect(handed()).toEqual([0, 175]);
    expect(outbox.dropped).toBe(lost);
  });

  it('let go of sound that waits when it becomes another', () => {
    const { outbox, handed, flush, answer } = viewer();
    outbox.begin([packet(0)]);
    for (const number of range(1, 4)) outbox.offer(packet(number, { bytes: 200_000 }));
    outbox.offerSound({ data: Uint8Array.of(101), receivedAt: 0 });
    outbox.forgetSound();
    outbox.offerSound({ data: Uint8Array.of(102), receivedAt: 0 });
    for (let i = 0; i < 4; i++) {
      flush();
      answer();
    }
    expect(handed().filter((first) => first > 100)).toEqual([102]);
    expect(outbox.dropped).toBe(0);
  });
});
