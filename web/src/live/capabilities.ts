// Which ways of playing this browser has at all; whether one can play a certain camera shows when it is tried.

import type { Step } from './messages.ts';

/** Best first; JPEG is always among them. */
export function availableSteps(): Step[] {
  const scope: { readonly VideoDecoder?: unknown; readonly MediaSource?: unknown } = globalThis;
  const steps: Step[] = [];
  // Browsers offer WebCodecs to pages opened by https or on localhost only.
  if (isSecureContext && scope.VideoDecoder !== undefined) steps.push('webcodecs');
  if (scope.MediaSource !== undefined && 'requestVideoFrameCallback' in HTMLVideoElement.prototype)
    steps.push('mse');
  return [...steps, 'jpeg'];
}
