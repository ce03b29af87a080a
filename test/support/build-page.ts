// Builds the page before the tests, unless it is up to date.
// How it is built is in scripts/build-web.ts.

import { buildWeb } from '../../scripts/build-web.ts';

export async function setup(): Promise<void> {
  await buildWeb();
}
