import { afterEach, expect, it } from 'vitest';
import type { FallReason, StreamInfo } from '../messages.ts';
import { CodecView } from './codec-view.ts';
import type { Screen } from './screen.ts';

const info = { codec: 'avc1.42C01E' } as StreamInfo;
const before = Reflect.get(globalThis, 'VideoDecoder');
afterEach(() => {
  Reflect.set(globalThis, 'VideoDecoder', before);
});

/** A browser that takes its time to say whether it can. */
function slowBrowser() {
  const asked = Promise.withResolvers<{ supported: boolean }>();
  const made: unknown[] = [];
  class Decoder {
    static isConfigSupported = () => asked.promise;
    state = 'unconfigured';
    constructor() {
      made.push(this);
    }
    configure(): void {
      this.state = 'configured';
    }
    close(): void {
      this.state = 'closed';
    }
  }
  Reflect.set(globalThis, 'VideoDecoder', Decoder);
  const failures: FallReason[] = [];
  const listener = {
    onShown: () => undefined,
    onFail: (reason: FallReason) => failures.push(reason),
    onLost: () => undefined,
  };
  const view = new CodecView(info, {} as Screen, listener);
  return { view, made, failures, answer: (supported: boolean) => asked.resolve({ supported }) };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('makes no decoder for a view that was closed while the browser was asked', async () => {
  const { view, made, answer } = slowBrowser();
  view.close();
  answer(true);
  await settled();
  expect(made).toEqual([]);
});

it('takes a refusal that comes after the end for nobody’s', async () => {
  const { view, failures, answer } = slowBrowser();
  view.close();
  answer(false);
  await settled();
  expect(failures).toEqual([]);
});

it('decodes where the browser says it can, and counts what waits for its answer as not shown', async () => {
  const { view, made, failures, answer } = slowBrowser();
  view.take(new ArrayBuffer(16), 70);
  expect(view.unshownSince).toBe(70);
  answer(true);
  await settled();
  expect(made).toHaveLength(1);
  expect(failures).toEqual([]);
  view.close();
  expect(made).toMatchObject([{ state: 'closed' }]);
});
