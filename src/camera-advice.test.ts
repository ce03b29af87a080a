import { expect, it } from 'vitest';
import {
  audioName,
  nextStep,
  noPictureAdvice,
  playableAsSent,
  profileName,
  videoAdvice,
} from './camera-advice.ts';
import { type CameraErrorCode, cameraErrors } from './errors.ts';
import type { VideoCodec } from './media/access-unit.ts';

const video = (codec: VideoCodec, codecString: string) => ({
  codec,
  codecString,
  width: 640,
  height: 480,
  fps: null,
  parameterSets: [],
});

it('names the profiles that codec strings tell', () => {
  const names = ['avc1.42C01E', 'avc1.4d001f', 'avc1.640028', 'hvc1.1.6.L93.B0', 'hvc1.2.4.L120.B0', 'mjpeg'];
  expect(names.map(profileName)).toEqual(['Baseline', 'Main', 'High', 'Main', 'Main 10', null]);
  expect(profileName('avc1.FF0000')).toBeNull();
});

it('tells what every browser plays, what depends, and what none does', () => {
  expect(playableAsSent(video('h264', 'avc1.640028'))).toBe('yes');
  expect(playableAsSent(video('h264', 'avc1.6E0028'))).toBe('depends');
  expect(playableAsSent(video('h265', 'hvc1.1.6.L93.B0'))).toBe('depends');
  expect(playableAsSent(video('mjpeg', 'mjpeg'))).toBe('no');
});

it('has no advice for a good camera, and some for each thing that could be better', () => {
  const good = {
    video: { codec: 'h264' },
    keyframeInterval: 1000,
    reordered: false,
    lostPackets: 0,
  } as const;
  expect(videoAdvice(good)).toEqual([]);
  expect(videoAdvice({ ...good, video: { codec: 'h265' } }).join()).toMatch(/H\.264/);
  expect(videoAdvice({ ...good, keyframeInterval: 9000 }).join()).toMatch(/Keyframes are rare/);
  expect(videoAdvice({ ...good, keyframeInterval: null }).join()).toMatch(/Fewer than two keyframes/);
  expect(videoAdvice({ ...good, reordered: true, lostPackets: 3 })).toHaveLength(2);
});

it('knows what to do next about every failure of a camera, in a sentence', () => {
  for (const code of Object.keys(cameraErrors) as CameraErrorCode[])
    expect(nextStep(code), code).toMatch(/^[A-Z].{20,}\.$/s);
});

it('names the sound, also what cannot be played', () => {
  expect(audioName(null)).toBeNull();
  expect(audioName({ kind: 'none' })).toBeNull();
  expect(audioName({ kind: 'unsupported', codec: 'G726-32\u0007' })).toBe('G726-32 (cannot be played)');
  const audio = {
    codec: 'pcma',
    sampleRate: 8000,
    channels: 1,
    config: new Uint8Array(),
    codecString: 'alaw',
  } as const;
  expect(audioName({ kind: 'audio', audio })).toBe('G.711 A-law');
});

it('blames the keyframes only where they are missing, and never the camera for a decoder that does not run', () => {
  expect(noPictureAdvice({ keyframeInterval: null }, true)).toBe(nextStep('no_picture'));
  expect(noPictureAdvice({ keyframeInterval: 1000 }, true)).not.toMatch(/interval/);
  for (const keyframeInterval of [null, 1000]) {
    expect(noPictureAdvice({ keyframeInterval }, false)).toMatch(/no fault of the camera/);
  }
});
