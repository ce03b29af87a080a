// What every section of the benchmark is: a name to ask for it by, and figures.
// The type only; the list of sections is in main.ts.

import type { Figure } from '../figures.ts';

export interface Section {
  /** As on the command line: `npm run bench -- delay`. */
  readonly name: string;
  /** One line for the person who waits. */
  readonly about: string;
  /** Run only when it is asked for by name. */
  readonly onRequest?: true;
  run(): Promise<readonly Figure[]>;
}
