// Code of a page that is fetched when it is needed: waits for a service that does not answer; where an update has replaced
// the code, the whole page is loaded anew, once. What is shown meanwhile is decided by the nearest Suspense.

import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

const key = 'rsv.reloaded-at';
/** A reload that did not help is not repeated for this long, ms. */
const patienceMs = 60_000;
const againMs = 1_500;
const answerMs = 10_000;

async function serviceAnswers(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(answerMs) })).ok;
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return false;
    throw error;
  }
}

/** @returns false when it was done a moment ago and did not help. */
function reloadOnce(): boolean {
  const last = Number(sessionStorage.getItem(key) ?? 0);
  if (Date.now() - last < patienceMs) return false;
  sessionStorage.setItem(key, String(Date.now()));
  location.reload();
  return true;
}

/** Rejects with what `load` says, when neither waiting nor loading the page anew has helped. */
async function fetched<Code>(load: () => Promise<Code>): Promise<Code> {
  let answered = false;
  for (;;) {
    try {
      return await load();
    } catch (error) {
      // It may have come back in between: only what fails while it answers is gone.
      if (answered) {
        if (!reloadOnce()) throw error;
        // Until the document is gone.
        return new Promise(() => undefined);
      }
      answered = await serviceAnswers();
      if (!answered) await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}

/** As React's `lazy`. */
export function lateCode<Props>(
  load: () => Promise<{ readonly default: ComponentType<Props> }>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(() => fetched(load));
}
