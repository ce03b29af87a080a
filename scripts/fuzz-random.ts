// Chance for the fuzzers: the same numbers for the same seed, everywhere.
// Knows nothing of what is made of them.

/** A whole number from 0 to `below` - 1. */
export type Random = (below: number) => number;

/** xorshift128: quick, and the same everywhere for a seed. */
export function createRandom(seed: number): Random {
  let [a, b, c, d] = [seed | 1, 0x9e3779b9, seed ^ 0x243f6a88, 0xb7e15162];
  return (below) => {
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return (Math.imul(a, 5) >>> 0) % below;
  };
}

/** @param items at least one. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random(items.length)]!;
}

/** Values that programs stumble over, of every JSON type. */
const oddities: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  -0.5,
  2 ** 53,
  '',
  ' ',
  '0',
  '\u0000',
  '\ud800',
  '‮abc',
  '\r\nX-Injected: yes',
  '<script>alert(1)</script>',
  "' OR 1=1 --",
  '../../../../etc/passwd',
  '%2e%2e%2f',
  '%00',
  '__proto__',
  'constructor',
  'toString',
  '{{7*7}}',
  'rtsp://127.0.0.1:9/',
  'file:///etc/passwd',
  '9999-99-99T99:99:99Z',
  '1970-01-01T00:00:00Z',
  'a'.repeat(3_000),
  '𝒳'.repeat(200),
  [],
  {},
  [[[[[[]]]]]],
  { toString: 1, valueOf: 2, length: -1 },
  JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}'),
];

export function oddity(random: Random): unknown {
  return pick(random, oddities);
}

/** `text` with some of its characters changed, lost, doubled or strange. */
export function bend(random: Random, text: string): string {
  let bent = text;
  for (let rounds = 1 + random(3); rounds > 0; rounds -= 1) {
    const at = random(bent.length + 1);
    const [before, after] = [bent.slice(0, at), bent.slice(at)];
    switch (random(5)) {
      case 0:
        bent = before + after.slice(1);
        break;
      case 1:
        bent = before + String.fromCharCode(random(random(2) ? 128 : 0x10000)) + after;
        break;
      case 2:
        bent = before + before.slice(-1 - random(20)) + after;
        break;
      case 3:
        bent = before;
        break;
      default:
        bent =
          before + pick(random, ['%', '"', '{', '/', '..', '\0', '\\', ',', '&', '=', '+', '😀']) + after;
    }
  }
  return bent;
}
