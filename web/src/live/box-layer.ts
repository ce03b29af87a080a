// Draws boxes around faces over a picture that is fitted into its place.
// Where the faces are is told to it; looks can be changed by CSS variables on any element above.

import type { PlacedFace } from './boxes.ts';

/** `0.974` as people read it. */
function percent(confidence: number): string {
  // A detector is never quite certain, whatever rounding makes of it.
  return `${Math.min(99, Math.floor(confidence * 100))}%`;
}

const boxStyle: Partial<CSSStyleDeclaration> = {
  position: 'absolute',
  boxSizing: 'border-box',
  border: 'var(--live-box-width, 2px) solid var(--live-box-color, var(--face, #7dffb8))',
  borderRadius: 'var(--live-box-radius, 3px)',
};
const labelStyle: Partial<CSSStyleDeclaration> = {
  position: 'absolute',
  left: '-2px',
  display: 'var(--live-box-label, block)',
  padding: '0 4px',
  whiteSpace: 'nowrap',
  font: '600 11px/15px system-ui, sans-serif',
  color: 'var(--live-box-ink, #06120b)',
  background: 'var(--live-box-color, var(--face, #7dffb8))',
  borderRadius: 'var(--live-box-radius, 3px)',
};

interface Drawn {
  readonly element: HTMLElement;
  readonly label: HTMLElement;
}

export class BoxLayer {
  readonly element = document.createElement('div');
  /** By track, so that a box stays with its face. */
  readonly #drawn = new Map<number, Drawn>();
  #shape = '';

  constructor() {
    // What is seen there is said elsewhere: detections and alerts are lists.
    this.element.setAttribute('aria-hidden', 'true');
    Object.assign(this.element.style, { position: 'absolute', pointerEvents: 'none', overflow: 'hidden' });
  }

  /** Lies over the picture, not over the bars beside it. All in pixels. */
  layOver(
    place: { width: number; height: number },
    picture: { width: number; height: number },
    cover: boolean,
  ): void {
    if (picture.width === 0 || picture.height === 0) return;
    const ratios = [place.width / picture.width, place.height / picture.height] as const;
    const scale = cover ? Math.max(...ratios) : Math.min(...ratios);
    const width = picture.width * scale;
    const height = picture.height * scale;
    const shape = `${(place.width - width) / 2} ${(place.height - height) / 2} ${width} ${height}`;
    if (shape === this.#shape) return;
    this.#shape = shape;
    const [left, top] = shape.split(' ');
    const { style } = this.element;
    style.left = `${left}px`;
    style.top = `${top}px`;
    style.width = `${width}px`;
    style.height = `${height}px`;
  }

  show(faces: readonly PlacedFace[]): void {
    if (faces.length === 0 && this.#drawn.size === 0) return;
    for (const [track, { element }] of this.#drawn) {
      if (faces.some((face) => face.track === track)) continue;
      element.remove();
      this.#drawn.delete(track);
    }
    for (const face of faces) this.#place(face);
  }

  #place({ track, confidence, box }: PlacedFace): void {
    const { element, label } = this.#drawn.get(track) ?? this.#add(track);
    const { style } = element;
    style.left = `${box.x * 100}%`;
    style.top = `${box.y * 100}%`;
    style.width = `${box.width * 100}%`;
    style.height = `${box.height * 100}%`;
    const text = percent(confidence);
    if (label.textContent !== text) label.textContent = text;
    // At the upper edge the label goes inside.
    label.style.top = box.y < 0.06 ? '-2px' : '-17px';
  }

  #add(track: number): Drawn {
    const element = document.createElement('div');
    const label = document.createElement('span');
    element.dataset.track = String(track);
    Object.assign(element.style, boxStyle);
    Object.assign(label.style, labelStyle);
    element.append(label);
    this.element.append(element);
    const drawn = { element, label };
    this.#drawn.set(track, drawn);
    return drawn;
  }
}
