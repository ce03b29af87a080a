// LATM's StreamMuxConfig (ISO 14496-3 §1.7.3) as far as cameras use it: one program, one layer, one length per unit.
// The packets that it describes are depacketize/latm.ts's.

import { type AacConfig, parseAacConfig } from '../media/aac.ts';
import { BitReader } from '../media/nal.ts';

export interface StreamMuxConfig {
  readonly config: AacConfig;
  /** AAC access units in each AudioMuxElement, 1–64. */
  readonly unitsPerElement: number;
}

/** Where the AudioSpecificConfig of version 0 begins, in bits. */
const configAt = 15;

/** @returns null for anything else, and when it is cut off. */
export function readStreamMuxConfig(data: Uint8Array): StreamMuxConfig | null {
  const bits = new BitReader(data);
  const version = bits.bits(1);
  const sameTimeFraming = bits.bits(1);
  const unitsPerElement = bits.bits(6) + 1;
  const programs = bits.bits(4) + 1;
  const layers = bits.bits(3) + 1;
  if (version !== 0 || sameTimeFraming !== 1 || programs !== 1 || layers !== 1) return null;
  const config = parseAacConfig(data, configAt);
  // A program config element ends nowhere that could be known without reading it.
  if (!config || config.channels === 0) return null;
  return { config, unitsPerElement };
}
