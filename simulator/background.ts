// The room in which the simulated camera hangs: drawn with a few shapes, in two moods.
// Static; people, clock and counter are laid over it elsewhere.

export type Mood = 'day' | 'evening';

type Colour = readonly [number, number, number];

interface Palette {
  readonly wall: readonly [Colour, Colour];
  readonly floor: readonly [Colour, Colour];
  readonly sky: readonly [Colour, Colour];
  readonly hill: Colour;
  readonly trim: Colour;
  readonly door: Colour;
  readonly glow: Colour;
}

const palettes: Readonly<Record<Mood, Palette>> = {
  day: {
    wall: [
      [206, 214, 212],
      [182, 194, 192],
    ],
    floor: [
      [176, 142, 108],
      [132, 100, 72],
    ],
    sky: [
      [150, 196, 232],
      [226, 238, 240],
    ],
    hill: [122, 158, 120],
    trim: [238, 236, 228],
    door: [86, 118, 128],
    glow: [255, 246, 222],
  },
  evening: {
    wall: [
      [132, 128, 146],
      [104, 100, 120],
    ],
    floor: [
      [112, 84, 72],
      [72, 54, 50],
    ],
    sky: [
      [44, 56, 100],
      [228, 142, 104],
    ],
    hill: [52, 58, 76],
    trim: [188, 178, 172],
    door: [84, 62, 70],
    glow: [255, 206, 140],
  },
};

/** Drawn at twice the size and averaged down: smooth edges without any mathematics of coverage. */
const oversampling = 2;

class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Float32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Float32Array(width * height * 3);
  }

  /**
   * Paints a region. Coordinates are in picture heights: (0, 0) top left, y = 1 the bottom.
   * @param shade colour and opacity (0–1) at a point; `null` leaves it.
   */
  paint(
    [left, top, right, bottom]: readonly [number, number, number, number],
    shade: (x: number, y: number) => readonly [Colour, number] | null,
  ): void {
    const { width, height, pixels } = this;
    for (let row = Math.max(0, Math.floor(top * height)); row < Math.min(height, bottom * height); row++) {
      for (
        let column = Math.max(0, Math.floor(left * height));
        column < Math.min(width, right * height);
        column++
      ) {
        const painted = shade((column + 0.5) / height, (row + 0.5) / height);
        if (!painted) continue;
        const [colour, opacity] = painted;
        const at = (row * width + column) * 3;
        for (let k = 0; k < 3; k++) pixels[at + k]! += (colour[k]! - pixels[at + k]!) * opacity;
      }
    }
  }

  rectangle(left: number, top: number, right: number, bottom: number, colour: Colour, opacity = 1): void {
    this.paint([left, top, right, bottom], () => [colour, opacity]);
  }

  gradient(
    left: number,
    top: number,
    right: number,
    bottom: number,
    [from, to]: readonly [Colour, Colour],
  ): void {
    this.paint([left, top, right, bottom], (_, y) => [mix(from, to, (y - top) / (bottom - top)), 1]);
  }

  /** @param angle radians. */
  ellipse(x: number, y: number, rx: number, ry: number, colour: Colour, opacity = 1, angle = 0): void {
    const reach = Math.max(rx, ry);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    this.paint([x - reach, y - reach, x + reach, y + reach], (px, py) => {
      const u = ((px - x) * cos + (py - y) * sin) / rx;
      const v = ((py - y) * cos - (px - x) * sin) / ry;
      return u * u + v * v <= 1 ? [colour, opacity] : null;
    });
  }

  /** A soft light (or shadow) that fades out towards the rim of an ellipse. */
  glow(x: number, y: number, rx: number, ry: number, colour: Colour, opacity: number): void {
    this.paint([x - rx, y - ry, x + rx, y + ry], (px, py) => {
      const distance = ((px - x) / rx) ** 2 + ((py - y) / ry) ** 2;
      return distance < 1 ? [colour, opacity * (1 - distance) ** 2] : null;
    });
  }
}

function mix(a: Colour, b: Colour, t: number): Colour {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

const black: Colour = [0, 0, 0];
const floorAt = 0.8;

/** Draws the room. @returns rows × columns × 3, RGB8. */
export function drawBackground(width: number, height: number, mood: Mood): Uint8Array {
  const canvas = new Canvas(width * oversampling, height * oversampling);
  const aspect = width / height;
  const palette = palettes[mood];
  drawRoom(canvas, aspect, palette);
  drawDoor(canvas, 0.14, palette);
  drawWindow(canvas, aspect - 0.62, palette);
  drawPlant(canvas, aspect - 0.15, mood);
  canvas.glow(aspect * 0.44, 0.02, 0.75, 0.72, palette.glow, mood === 'day' ? 0.35 : 0.42);
  return averageDown(canvas, width, height);
}

function drawRoom(canvas: Canvas, aspect: number, palette: Palette): void {
  canvas.gradient(0, 0, aspect, floorAt, palette.wall);
  canvas.gradient(0, floorAt, aspect, 1, palette.floor);
  // Boards run towards a vanishing point above the floor's edge.
  for (let board = -12; board <= 12; board++) {
    canvas.paint([0, floorAt, aspect, 1], (x, y) => {
      const spread = 0.13 * board * (1 + (y - floorAt) * 3.2);
      return Math.abs(x - aspect / 2 - spread) < 0.0022 ? [black, 0.16] : null;
    });
  }
  canvas.rectangle(0, floorAt - 0.035, aspect, floorAt, palette.trim);
  canvas.rectangle(0, floorAt, aspect, floorAt + 0.006, black, 0.25);
}

function drawDoor(canvas: Canvas, left: number, palette: Palette): void {
  const right = left + 0.34;
  canvas.rectangle(left - 0.03, 0.17, right + 0.03, floorAt, palette.trim);
  canvas.rectangle(left, 0.2, right, floorAt, palette.door);
  for (const [top, bottom] of [
    [0.24, 0.46],
    [0.51, 0.75],
  ] as const) {
    canvas.rectangle(left + 0.045, top, right - 0.045, bottom, black, 0.14);
    canvas.rectangle(left + 0.055, top + 0.01, right - 0.045, bottom, palette.door);
    canvas.rectangle(left + 0.055, top + 0.01, right - 0.055, bottom - 0.01, [255, 255, 255], 0.06);
  }
  canvas.ellipse(right - 0.024, 0.49, 0.012, 0.012, [222, 196, 128]);
  canvas.rectangle(right + 0.03, 0.2, right + 0.036, floorAt, black, 0.12);
}

function drawWindow(canvas: Canvas, left: number, palette: Palette): void {
  const [top, right, bottom] = [0.18, left + 0.44, 0.56];
  canvas.rectangle(left - 0.012, top + 0.02, right + 0.04, bottom + 0.05, black, 0.1);
  canvas.rectangle(left - 0.03, top - 0.03, right + 0.03, bottom + 0.03, palette.trim);
  canvas.gradient(left, top, right, bottom, palette.sky);
  canvas.paint([left, top, right, bottom], (x, y) => {
    const near = 0.47 + 0.02 * Math.sin((x - left) * 16);
    const far = 0.43 + 0.03 * Math.sin((x - left) * 9 + 1);
    if (y > near) return [palette.hill, 1];
    return y > far ? [mix(palette.hill, palette.sky[1], 0.45), 1] : null;
  });
  canvas.rectangle((left + right) / 2 - 0.008, top, (left + right) / 2 + 0.008, bottom, palette.trim);
  canvas.rectangle(left, 0.36, right, 0.374, palette.trim);
  canvas.rectangle(left - 0.045, bottom + 0.03, right + 0.045, bottom + 0.055, palette.trim);
  canvas.rectangle(left - 0.045, bottom + 0.055, right + 0.045, bottom + 0.062, black, 0.16);
}

function drawPlant(canvas: Canvas, x: number, mood: Mood): void {
  const leaf: Colour = mood === 'day' ? [74, 128, 86] : [48, 82, 70];
  canvas.glow(x, 0.925, 0.15, 0.03, black, 0.4);
  for (let i = 0; i < 9; i++) {
    const angle = -Math.PI / 2 + (i - 4) * 0.3;
    const length = 0.1 + 0.025 * ((i * 5) % 3);
    canvas.ellipse(
      x + Math.cos(angle) * length,
      0.76 + Math.sin(angle) * length,
      length * 0.85,
      0.026,
      mix(leaf, i % 2 ? black : [255, 255, 255], 0.14),
      1,
      angle,
    );
  }
  canvas.paint([x - 0.09, 0.76, x + 0.09, 0.92], (px, py) => {
    const half = 0.085 - (py - 0.76) * 0.2;
    return Math.abs(px - x) < half ? [mix([214, 150, 116], [140, 88, 66], (px - x + 0.085) / 0.17), 1] : null;
  });
  canvas.rectangle(x - 0.093, 0.755, x + 0.093, 0.785, [196, 130, 98]);
}

function averageDown({ pixels, width: wide }: Canvas, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  const row = wide * 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < 3; k++) {
        const at = (y * 2 * wide + x * 2) * 3 + k;
        const sum = pixels[at]! + pixels[at + 3]! + pixels[at + row]! + pixels[at + row + 3]!;
        // An ordered half-step hides the bands of the soft gradients.
        out[(y * width + x) * 3 + k] = Math.min(255, sum / 4 + (((x ^ y) & 1) + (y & 1) * 0.5) * 0.6);
      }
    }
  }
  return out;
}
