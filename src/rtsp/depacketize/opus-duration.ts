// How long an Opus packet sounds, from its first bytes (RFC 6716 §3.1).
// Nothing of its sound is looked into.

/** One frame of each configuration 0–31, µs. */
function frameDuration(config: number): number {
  if (config < 12) return [10_000, 20_000, 40_000, 60_000][config & 3]!;
  if (config < 16) return config & 1 ? 20_000 : 10_000;
  return [2_500, 5_000, 10_000, 20_000][config & 3]!;
}

/** A packet sounds for 120 ms at most, µs. */
const longest = 120_000;

/** @returns µs; 0 for what is no Opus packet. */
export function opusDuration(packet: Uint8Array): number {
  const first = packet[0];
  if (first === undefined) return 0;
  const code = first & 3;
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 0x3f : 2;
  const duration = frames * frameDuration(first >> 3);
  return duration <= longest ? duration : 0;
}
