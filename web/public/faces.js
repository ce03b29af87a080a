// Boxes around faces, over a picture: in step with a video, or once over a still.
// Where faces are is told by the server; what else is on the picture is in tile.js and alert-view.js.

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box fractions of the picture
 * @typedef {{track: number | string, confidence: number, box: Box}} Face
 */

/** Without news for so long a box would stand where nobody is any more, ms. */
const keptFor = 1_500;
/** A frame is on the screen for about so long before its faces are known, ms. */
const behind = 80;
/** Frames of one track that are further apart say nothing about how fast the face moves now, ms. */
const longestPause = 600;
/** A smaller step, in widths of the box, is taken for the detector's own unrest. */
const unrest = 0.04;

/**
 * @typedef {object} Shown a box on the layer
 * @property {HTMLElement} element
 * @property {Box} box as it was told last
 * @property {number} time of the analysed frame, ms on the camera's clock
 */

/** `0.974` as people read it. @param {number} confidence 0–1 */
export function percent(confidence) {
  // A detector is never quite certain, whatever rounding makes of it.
  return `${Math.min(99, Math.floor(confidence * 100))}%`;
}

export class FaceBoxes {
  #layer;
  /** By track, so that a box stays with its face. @type {Map<number | string, Shown>} */ #shown = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {HTMLElement} layer over the picture; takes on its shape by `fit` */
  constructor(layer) {
    this.#layer = layer;
  }

  /** Gives the layer the shape of a picture that is fitted inside its place. @param {number} width @param {number} height */
  fit(width, height) {
    this.#layer.style.setProperty('--shape', String(width / height));
  }

  /**
   * Faces of the newest analysed frame of a video; they go by themselves when no further frame follows.
   * Between two frames a box glides on as its face last moved, so that it does not lag behind people who walk.
   * @param {Face[]} faces
   * @param {number} timestamp of the frame, µs on the camera's clock
   */
  follow(faces, timestamp) {
    clearTimeout(this.#timer);
    if (faces.length > 0) this.#timer = setTimeout(() => this.show([]), keptFor);
    const time = timestamp / 1000;
    this.#keep(faces);
    for (const face of faces) {
      const { box } = face;
      const shown = this.#shown.get(face.track);
      const passed = shown ? time - shown.time : 0;
      if (!shown || passed <= 0 || passed > longestPause) {
        this.#put(face, box, time, 0);
        continue;
      }
      const [stepX, stepY] = [middle(box).x - middle(shown.box).x, middle(box).y - middle(shown.box).y];
      const still = Math.hypot(stepX / box.width, stepY / box.height) < unrest;
      // To the middle of the time until the next frame: farther, and boxes run past people who stop.
      const steps = still ? 0 : behind / passed + 0.5;
      const x = inside(box.x + stepX * steps, box.width);
      const y = inside(box.y + stepY * steps, box.height);
      this.#put(face, { ...box, x, y }, time, passed);
    }
  }

  /** Faces of a still picture, or none. @param {Face[]} faces */
  show(faces) {
    this.#keep(faces);
    for (const face of faces) this.#put(face, face.box, 0, 0);
  }

  /** @param {Face[]} faces */
  #keep(faces) {
    const tracks = new Set(faces.map(({ track }) => track));
    for (const [track, { element }] of this.#shown) {
      if (tracks.has(track)) continue;
      element.remove();
      this.#shown.delete(track);
    }
  }

  /**
   * @param {Face} face
   * @param {Box} place where its box has to be
   * @param {number} time of the frame, ms
   * @param {number} within ms to get there
   */
  #put({ track, confidence, box }, place, time, within) {
    const element =
      this.#shown.get(track)?.element ?? this.#layer.appendChild(document.createElement('span'));
    this.#shown.set(track, { element, box, time });
    element.className = 'face';
    element.classList.toggle('high', place.y < 0.06);
    element.dataset.confidence = percent(confidence);
    const { style } = element;
    style.transitionDuration = `${within}ms`;
    style.left = `${place.x * 100}%`;
    style.top = `${place.y * 100}%`;
    style.width = `${place.width * 100}%`;
    style.height = `${place.height * 100}%`;
  }
}

/** @param {Box} box */
function middle({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}

/** A box does not leave the picture. @param {number} from @param {number} length both fractions */
function inside(from, length) {
  return Math.max(0, Math.min(from, 1 - length));
}
