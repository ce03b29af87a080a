// What the simulated camera sees: the scripted scenario and the drawing of one frame of it.
// Pictures only; encoding and sending live elsewhere.

import { drawBackground, type Mood } from './background.ts';
import { cellHeight, cellWidth, plotText } from './font.ts';
import { cutOut, peopleCount, type Sprite } from './people.ts';
import { drawStrip, stripHeightFraction } from './strip.ts';

/** One person comes in, stands somewhere, and leaves. Times in seconds of the clip. */
export interface Visit {
  /** Who, from 0. */
  readonly person: number;
  /** The first pixel enters the picture after this. */
  readonly from: number;
  /** The last pixel has left the picture. */
  readonly to: number;
  /** Where the middle of the face rests, as a fraction of the picture's width. */
  readonly at: number;
  readonly entersFrom?: 'left' | 'right';
  readonly leavesTo?: 'left' | 'right';
}

export interface Scene {
  /** Shown in the picture; letters, digits, space. */
  readonly label: string;
  readonly mood: Mood;
  /** Length of the loop in seconds. */
  readonly seconds: number;
  readonly visits: readonly Visit[];
}

/** Of the face alone, pixels. */
export interface FacePlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Height of a face as a fraction of the picture's: 115 px of 480. */
const faceFraction = 0.24;
/** Seconds to walk from outside to the resting place. */
const walkSeconds = 1.4;

/**
 * People come and go in a loop, alone and in pairs, with some seconds of empty room between.
 * @param variant 0, 1, …: another room name, mood and cast.
 * @param seconds length of the loop; the visits are spread over it.
 */
export function demoScene(variant = 0, seconds = 30): Scene {
  const stretch = seconds / 30;
  const who = (n: number) => (variant * 2 + n) % peopleCount;
  const visit = (person: number, from: number, to: number, at: number, more: Partial<Visit> = {}): Visit => ({
    person: who(person),
    from: from * stretch,
    to: to * stretch,
    at,
    ...more,
  });
  return {
    label: ['ENTRANCE', 'LOBBY', 'STUDIO', 'LOUNGE'][variant % 4] ?? 'CAMERA',
    mood: variant % 2 === 0 ? 'day' : 'evening',
    seconds,
    visits: [
      visit(0, 2, 11, 0.4),
      visit(1, 5, 14, 0.72, { entersFrom: 'right', leavesTo: 'right' }),
      visit(2, 18, 25.5, 0.5, { entersFrom: 'left', leavesTo: 'right' }),
    ],
  };
}

/** An empty room for the whole loop. */
export function emptyScene(seconds = 20): Scene {
  return { label: 'EMPTY ROOM', mood: 'day', seconds, visits: [] };
}

/** People whose whole face is in the picture at `second` of the clip, by their place on the way in or out. */
export function peopleStanding(scene: Scene, second: number): number[] {
  return scene.visits
    .filter((visit) => second >= visit.from + walkSeconds && second <= visit.to - walkSeconds)
    .map((visit) => visit.person);
}

/** Draws the frames of a scene at one size; costly parts (room, cut-out figures) are prepared once. */
export class ScenePainter {
  readonly scene: Scene;
  readonly width: number;
  readonly height: number;
  readonly #background: Uint8Array;
  readonly #sprites: ReadonlyMap<number, Sprite>;

  private constructor(scene: Scene, width: number, height: number, sprites: ReadonlyMap<number, Sprite>) {
    this.scene = scene;
    this.width = width;
    this.height = height;
    this.#background = drawBackground(width, height, scene.mood);
    this.#sprites = sprites;
  }

  static async prepare(scene: Scene, width: number, height: number): Promise<ScenePainter> {
    const sprites = new Map<number, Sprite>();
    for (const { person } of scene.visits) {
      if (!sprites.has(person)) sprites.set(person, await cutOut(person, height * faceFraction));
    }
    return new ScenePainter(scene, width, height, sprites);
  }

  /**
   * @param index frame of the clip, drawn as a number and as the strip.
   * @param second its time in the clip.
   * @returns a new picture: rows × columns × 3, RGB8.
   */
  frame(index: number, second: number): Uint8Array {
    const rgb = new Uint8Array(this.#background);
    for (const visit of this.scene.visits) {
      const sprite = this.#sprites.get(visit.person);
      if (sprite && second > visit.from && second < visit.to) this.#place(rgb, sprite, visit, second);
    }
    const scale = Math.max(1, Math.round(this.height / 240));
    const margin = scale * 6;
    this.#label(rgb, `${this.scene.label}  ${clockText(second)}`, margin, margin, scale);
    const counter = `#${String(index).padStart(4, '0')}`;
    this.#label(rgb, counter, this.width - margin - labelWidth(counter, scale), margin, scale);
    drawStrip(rgb, this.width, this.height, index);
    return rgb;
  }

  /**
   * Where the face of a visit of this scene is at `second` of the clip: pixels, also beyond the picture; null while
   * nobody is there.
   */
  faceAt(visit: Visit, second: number): FacePlace | null {
    const sprite = this.#sprites.get(visit.person);
    if (!sprite || second <= visit.from || second >= visit.to) return null;
    const { x, y } = this.#placeOf(sprite, visit, second);
    const [faceX, faceY, width, height] = sprite.face;
    return { x: x + faceX, y: y + faceY, width, height };
  }

  #place(rgb: Uint8Array, sprite: Sprite, visit: Visit, second: number): void {
    const { x, y } = this.#placeOf(sprite, visit, second);
    this.#lay(rgb, sprite, x, y);
  }

  /** Walks in with an easing step, sways a little while standing, walks out. */
  #placeOf(sprite: Sprite, visit: Visit, second: number): { readonly x: number; readonly y: number } {
    const [faceX, faceY, faceWidth, faceHeight] = sprite.face;
    const rest = visit.at * this.width - faceX - faceWidth / 2;
    const outside = (side: 'left' | 'right') => (side === 'left' ? -sprite.width : this.width);
    const into = ease((second - visit.from) / walkSeconds);
    const out = ease((visit.to - second) / walkSeconds);
    const enter = outside(visit.entersFrom ?? 'left');
    const leave = outside(visit.leavesTo ?? 'left');
    const walking = into < 1 ? enter + (rest - enter) * into : leave + (rest - leave) * out;
    const sway = Math.sin((second - visit.from) * 1.7) * this.width * 0.008;
    const step = Math.sin((second - visit.from) * 9) * (1 - Math.min(into, out));
    const x = Math.round(walking + sway);
    // Feet (far below the picture) stay on the ground: the face is where a camera at head height has it.
    const y = Math.round(this.height * (0.4 + 0.01 * step) - faceY - faceHeight / 2);
    return { x, y };
  }

  #lay(rgb: Uint8Array, sprite: Sprite, left: number, top: number): void {
    const bottom = Math.floor(this.height * (1 - stripHeightFraction));
    for (let y = Math.max(0, -top); y < sprite.height && y + top < bottom; y++) {
      for (let x = Math.max(0, -left); x < sprite.width && x + left < this.width; x++) {
        const alpha = sprite.alpha[y * sprite.width + x]!;
        if (alpha === 0) continue;
        const from = (y * sprite.width + x) * 3;
        const to = ((y + top) * this.width + x + left) * 3;
        for (let k = 0; k < 3; k++)
          rgb[to + k] = (sprite.rgb[from + k]! * alpha + rgb[to + k]! * (255 - alpha) + 127) / 255;
      }
    }
  }

  /** Text on a dark, half-transparent plate. */
  #label(rgb: Uint8Array, text: string, left: number, top: number, scale: number): void {
    const width = labelWidth(text, scale);
    const height = (cellHeight + 6) * scale;
    for (let y = top; y < Math.min(this.height, top + height); y++) {
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x++) {
        const at = (y * this.width + x) * 3;
        for (let k = 0; k < 3; k++) rgb[at + k] = rgb[at + k]! * 0.35 + 8;
      }
    }
    plotText(text, left + 4 * scale, top + 3 * scale, scale, (x, y) => {
      if (x >= 0 && x < this.width && y < this.height) {
        const at = (y * this.width + x) * 3;
        rgb.fill(240, at, at + 3);
      }
    });
  }
}

function labelWidth(text: string, scale: number): number {
  return (text.length * cellWidth + 7) * scale;
}

function ease(t: number): number {
  const clamped = Math.max(0, Math.min(1, t));
  return 1 - (1 - clamped) ** 2;
}

/** `00:12.4` */
function clockText(second: number): string {
  const tenths = Math.floor(second * 10 + 1e-6);
  const minutes = String(Math.floor(tenths / 600)).padStart(2, '0');
  return `${minutes}:${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
}
