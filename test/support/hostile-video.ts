// H.264 units whose sequence parameter set says what an attacker likes; the rest of them stays as it is.
// Only the bits; what is done with them belongs to the tests.

import { h264Nal, h264NalType, joinAnnexB, splitAnnexB } from '../../src/media/nal.ts';

export interface HostileSps {
  readonly width: number;
  readonly height: number;
  /** From the right and the bottom, in units of two pixels. */
  readonly crop?: readonly [number, number];
  /** profile_idc; 66 (Baseline) by default. */
  readonly profile?: number;
}

/** Exp-Golomb (H.264 §9.1) as text of zeros and ones. */
export function ue(value: number): string {
  const binary = (value + 1).toString(2);
  return binary.padStart(2 * binary.length - 1, '0');
}

/** A NAL unit of these header bytes and bits, with trailing bits and emulation prevention (§7.3.1, §7.4.1). */
export function nalOf(header: readonly number[], bits: string): Uint8Array {
  const padded = `${bits}1`.padEnd(Math.ceil((bits.length + 1) / 8) * 8, '0');
  const out = [...header];
  for (const [octet] of padded.matchAll(/.{8}/g)) {
    const byte = Number.parseInt(octet, 2);
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Uint8Array.from(out);
}

export function h264Sps({ width, height, crop = [0, 0], profile = 66 }: HostileSps): Uint8Array {
  const cropping = crop[0] + crop[1] > 0 ? `1${ue(0)}${ue(crop[0])}${ue(0)}${ue(crop[1])}` : '0';
  const size = ue(Math.ceil(width / 16) - 1) + ue(Math.ceil(height / 16) - 1);
  return nalOf([0x67, profile, 0xc0, 62], `${ue(0)}${ue(0)}${ue(2)}${ue(1)}0${size}11${cropping}0`);
}

/** Access units in Annex B with `sps` in the place of theirs. */
export function withH264Sps(units: readonly Uint8Array[], sps: HostileSps): Uint8Array[] {
  const replacement = h264Sps(sps);
  return units.map((unit) =>
    joinAnnexB(
      splitAnnexB(unit).map((nal) => (h264NalType(nal[0] ?? 0) === h264Nal.sps ? replacement : nal)),
    ),
  );
}
