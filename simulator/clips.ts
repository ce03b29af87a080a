// Clips by description: the demo scene or another one, encoded once and kept on disk between runs.
// The key covers everything that decides the bytes, this code included, so a stale file is never used.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import type { Clip } from './clip.ts';
import { type EncodeOptions, encodeFrames } from './encode.ts';
import { demoScene, type Scene, ScenePainter } from './scene.ts';

export interface ClipOptions extends Partial<EncodeOptions> {
  /** What the camera sees; default `demoScene()`. */
  readonly scene?: Scene;
}

const sources = ['scene', 'people', 'background', 'font', 'strip', 'yuv', 'clip', 'encode'];
const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
/** More clips than this on disk, and the oldest go. */
const keptClips = 60;

const loaded = new Map<string, Promise<Clip>>();

/** The clip of a scene, H.264 640×480 at 15 frames a second unless told otherwise. Shared: never write to it. */
export async function sceneClip(options: ClipOptions = {}): Promise<Clip> {
  const { scene = demoScene(), ...rest } = options;
  const encode: EncodeOptions = { codec: 'h264', width: 640, height: 480, fps: 15, ...rest };
  const key = await keyOf({ scene, encode });
  let clip = loaded.get(key);
  if (!clip) {
    clip = load(key, () => renderClip(scene, encode));
    loaded.set(key, clip);
    // A failure is not remembered: the next caller tries again.
    clip.catch(() => loaded.delete(key));
  }
  return clip;
}

/** Draws and encodes without any cache. */
export async function renderClip(scene: Scene, options: EncodeOptions): Promise<Clip> {
  const painter = await ScenePainter.prepare(scene, options.width, options.height);
  const count = Math.round(scene.seconds * options.fps);
  function* frames() {
    for (let index = 0; index < count; index++) yield painter.frame(index, index / options.fps);
  }
  return encodeFrames(frames(), options);
}

async function keyOf(parameters: object): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(parameters));
  for (const name of sources) hash.update(await readFile(new URL(`./${name}.ts`, import.meta.url)));
  return hash.digest('hex').slice(0, 32);
}

async function load(key: string, make: () => Promise<Clip>): Promise<Clip> {
  const folder = await cacheFolder();
  const file = join(folder, `${key}.clip`);
  const stored = await readFile(file).catch(() => null);
  if (stored) return deserialize(stored) as Clip;
  const clip = await make();
  // Written aside and renamed: another process sees the whole file or none.
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, serialize(clip));
  await rename(draft, file);
  await sweep(folder);
  return clip;
}

async function cacheFolder(): Promise<string> {
  for (const base of [join(modules, '.cache'), tmpdir()]) {
    const folder = join(base, 'rtsp-stream-viewer-clips');
    const made = await mkdir(folder, { recursive: true }).then(
      () => true,
      () => false,
    );
    if (made) return folder;
  }
  throw new Error('No folder can be written to for the encoded clips.');
}

async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= keptClips) return;
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      at: await stat(join(folder, name)).then(
        (s) => s.mtimeMs,
        () => 0,
      ),
    })),
  );
  aged.sort((a, b) => a.at - b.at);
  for (const { name } of aged.slice(0, names.length - keptClips))
    await rm(join(folder, name), { force: true });
}
