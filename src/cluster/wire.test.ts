import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage, WireError } from './wire.ts';

test('a message arrives as it was sent, its bytes beside it', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
      fc.uint8Array({ maxLength: 5_000 }),
      (header, bytes) => {
        const { header: read, payload } = decodeMessage(encodeMessage(header, bytes));
        expect(read).toEqual(JSON.parse(JSON.stringify(header)));
        expect(Buffer.compare(payload, bytes)).toBe(0);
      },
    ),
  );
});

test('whatever arrives instead of a message is refused in one way', () => {
  const message = encodeMessage({ i: 'a', m: { list: [1, 2, { x: 'y' }] } }, new Uint8Array(50));
  const mutated = fc
    .array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const copy = Buffer.from(message);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
  const cut = fc.nat(message.length).map((length) => message.subarray(0, length));
  const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(mutated, cut, anything), (frame) => {
      try {
        expect(typeof decodeMessage(frame).header).toBe('object');
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(refused).toBeGreaterThan(100);
});

test('a message of another major version is told by its number', () => {
  const frame = encodeMessage({ m: 1 });
  frame[0] = 9;
  expect(() => decodeMessage(frame)).toThrow(/version 9/);
});

test('a small payload does not keep the large buffer alive that it was read in', () => {
  const large = Buffer.alloc(64 * 1024);
  const frame = encodeMessage({ m: 1 }, Uint8Array.of(1, 2, 3));
  frame.copy(large, 1000);
  const { payload } = decodeMessage(large.subarray(1000, 1000 + frame.length));
  expect([...payload]).toEqual([1, 2, 3]);
  expect(payload.buffer.byteLength).toBe(3);
});
