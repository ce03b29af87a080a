import { describe, expect, it } from 'vitest';
import { text } from '../text.ts';
import type { LinkView, Report } from './messages.ts';
import { describe as tell } from './state.ts';

const live: Report = {
  link: { state: 'open' },
  camera: { type: 'status', status: 'online' },
  step: 'webcodecs',
  fall: null,
  codec: 'avc1.42C01E',
  showing: 'webcodecs',
  sound: null,
  size: { width: 640, height: 480 },
  fresh: true,
  silentSeconds: 0,
  unreadable: false,
};

const stale: Report = { ...live, fresh: false };
const waiting = (
  why: Extract<LinkView, { state: 'waiting' }>['why'],
  words: string | null = null,
): Report => ({
  ...stale,
  camera: null,
  link: { state: 'waiting', why, words, retryAt: 14_000 },
});
const ended = (why: Extract<LinkView, { state: 'ended' }>['why'], words: string | null = null): Report => ({
  ...stale,
  camera: null,
  link: { state: 'ended', why, words },
});
const camera = (status: 'offline' | 'connecting' | 'reconnecting' | 'error', message?: string): Report => ({
  ...stale,
  camera: { type: 'status', status, ...(message !== undefined && { message }) },
});

describe('what a tile says', () => {
  it('is nothing over a live picture', () => {
    expect(tell(live, 0)).toMatchObject({ code: 'live', kind: 'live', sentence: null, note: null });
  });

  it('counts down to the next try', () => {
    expect(tell(waiting('lost'), 10_000).sentence).toBe(`${text.live.lost} Reconnecting in 4 s…`);
    expect(tell(waiting('lost'), 13_500).sentence).toBe(`${text.live.lost} Reconnecting in 1 s…`);
    expect(tell(waiting('lost'), 20_000).sentence).toBe(`${text.live.lost} Reconnecting…`);
  });

  it('repeats the sentence of the service where it has one', () => {
    expect(tell(waiting('full', 'At most 3 viewers; come back later.'), 10_000)).toMatchObject({
      code: 'too_many_viewers',
      sentence: 'At most 3 viewers; come back later. Reconnecting in 4 s…',
    });
    expect(tell(camera('error', 'The camera refused: wrong user name or password.'), 0)).toMatchObject({
      code: 'camera_error',
      kind: 'error',
      sentence: 'The camera refused: wrong user name or password.',
    });
    expect(tell(camera('reconnecting', 'Nothing listens there.'), 0).sentence).toBe(
      'Nothing listens there. Trying again…',
    );
  });

  it('is a sentence in every state but a live one, and a code of its own', () => {
    const reports: Report[] = [
      { ...stale, link: { state: 'resting' } },
      { ...stale, link: { state: 'opening' } },
      ...(['lost', 'leaving', 'full', 'unreachable', 'blocked'] as const).map((why) => waiting(why)),
      ...(['signed_out', 'forbidden', 'deleted', 'refused'] as const).map((why) => ended(why)),
      ...(['offline', 'connecting', 'reconnecting', 'error'] as const).map((status) => camera(status)),
      { ...stale, showing: null },
      { ...stale, silentSeconds: 7 },
      { ...stale, unreadable: true },
    ];
    const told = reports.map((report) => tell(report, 0));
    for (const { code, sentence, kind } of told) {
      expect(sentence, code).toMatch(/\S.*[.…]$/);
      expect(kind, code).not.toBe('live');
    }
    expect(new Set(told.map(({ code }) => code)).size).toBe(reports.length);
  });

  it('says beside JPEG why nothing better is used', () => {
    const hevc: Report = {
      ...live,
      step: 'jpeg',
      showing: 'jpeg',
      codec: 'hvc1.1.6.L93.B0',
      fall: { step: 'webcodecs', reason: 'unsupported' },
    };
    expect(tell(hevc, 0).note).toContain('H.265');
    // MSE looks the same as WebCodecs: nobody needs to know.
    expect(tell({ ...hevc, step: 'mse', showing: 'mse' }, 0).note).toBeNull();
  });
});
