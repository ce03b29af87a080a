import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clip } from '../simulator/clip.ts';
import { sceneClip } from '../simulator/clips.ts';
import { demoScene, emptyScene } from '../simulator/scene.ts';
import { silentLog } from '../src/base/log.ts';
import { Decoding } from '../src/codec/decoding.ts';
import { CodecPool } from '../src/codec/pool.ts';
import { decodeJpeg } from '../src/codec/worker/test-clips.ts';
import type { FaceImages, FrameFaces } from '../src/media/faces.ts';
import { Stream } from '../src/stream/stream.ts';
import { eventually } from './support/parts.ts';

const picture = { width: 640, height: 480, fps: 15, quality: 80 };
const faces = { width: 640, height: 480, fps: 5, minFaceSize: 40 };

/** Plays a clip into a stream at its rate, from the second `from`. */
function play(clip: Clip, from = 0): { readonly stream: Stream; stop(): void } {
  const stream = new Stream();
  const { codec, width, height, fps, parameterSets } = clip;
  stream.setVideo({ codec, width, height, fps, codecString: '', parameterSets });
  stream.setStatus('online', null);
  let index = 0;
  const first = clip.accessUnits.findIndex((unit, i) => unit.keyframe && i >= from * fps);
  const timer = setInterval(() => {
    const unit = clip.accessUnits[(first + index) % clip.accessUnits.length]!;
    const timestamp = Math.round((index++ * 1e6) / fps);
    stream.publish({
      codec,
      data: unit.data,
      keyframe: unit.keyframe,
      timestamp,
      receivedAt: performance.now(),
      lossBefore: false,
    });
  }, 1000 / fps);
  return { stream, stop: () => clearInterval(timer) };
}

describe('faces in a codec worker', () => {
  let pool: CodecPool;
  beforeAll(() => {
    pool = new CodecPool({ log: silentLog, maxWorkers: 1 });
  });
  afterAll(() => pool.close());

  it('are found beside the pictures, with images of the frame and of each face, and off and on again', async () => {
    const clip = await sceneClip({ scene: demoScene(0), gopSeconds: 1 });
    const { stream, stop } = play(clip, 5);
    const decoding = new Decoding({ stream, pool, channel: { picture, faces } });
    const found: { readonly frame: FrameFaces; readonly images: FaceImages | null }[] = [];
    let pictures = 0;
    decoding.onPicture = () => pictures++;
    decoding.onFaces = (frame, images) => found.push({ frame, images });
    decoding.wantFaces(true);
    decoding.wantPictures(true);
    const seen = await eventually(
      'found',
      () => found.find(({ frame }) => frame.faces.length > 0),
      (first) => first !== undefined,
      20_000,
    );
    expect(decoding.detector).toEqual({ state: 'ready', reason: null });
    expect(seen!.frame).toMatchObject({ width: 640, height: 480 });
    const [face] = seen!.frame.faces;
    expect(face!.confidence).toBeGreaterThan(0.7);
    expect(face!.box.width).toBeGreaterThan(0.05);
    expect(face!.landmarks).toHaveLength(5);
    expect(face!.sharpness).toBeGreaterThan(1);
    expect(decodeJpeg(seen!.images!.frame)).toMatchObject({ width: 640, height: 480 });
    expect(seen!.images!.faces).toHaveLength(seen!.frame.faces.length);
    expect(decodeJpeg(seen!.images!.faces[0]!).width).toBeGreaterThan(40);
    await eventually(
      'pictures',
      () => pictures,
      (count) => count > 15,
    );

    decoding.wantFaces(false);
    expect(decoding.detector.state).toBe('off');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = found.length;
    const picturesBefore = pictures;
    await eventually(
      'pictures go on',
      () => pictures,
      (count) => count > picturesBefore + 10,
    );
    expect(found.length).toBe(before);
    decoding.wantFaces(true);
    await eventually(
      'found again',
      () => found.length,
      (count) => count > before,
    );
    decoding.close();
    stop();
    expect(decoding.figures.decodeErrors).toBe(0);
  }, 60_000);

  it('are not found in an empty room, whose frames are analysed all the same', async () => {
    const { stream, stop } = play(await sceneClip({ scene: emptyScene(), gopSeconds: 1 }));
    const decoding = new Decoding({ stream, pool, channel: { picture, faces } });
    let analysed = 0;
    let seen = 0;
    decoding.onFaces = (frame, images) => {
      analysed++;
      seen += frame.faces.length + (images === null ? 0 : 1);
    };
    decoding.wantFaces(true);
    await eventually(
      'analysed',
      () => analysed,
      (count) => count >= 5,
      20_000,
    );
    expect(seen).toBe(0);
    decoding.close();
    stop();
  }, 60_000);
});
