// What the probe processes of a benchmark answer. Their arguments are the camera's address and the seconds to measure.
// Sent by structured clone; no behaviour.

import type { SeenFrame } from './viewer-messages.ts';

export interface ProbeResult {
  /** From asking for the connection to the first access unit, ms. */
  readonly firstUnitMs: number;
  /** Access units of the camera when the program had them. */
  readonly units: readonly SeenFrame[];
  /** Pictures made from them, JPEG, when the program had them; empty for a probe that makes none. */
  readonly jpegs: readonly SeenFrame[];
  /** Processor time of the whole probe while measuring, percent of a core. */
  readonly cpuPercent: number;
}
