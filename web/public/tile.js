// One camera on the page: its picture, its state in words, its figures and buttons.
// Which cameras there are, and the dialogs, belong to app.js.

/** @import { Stream } from './api.js' */
/** @import { Face } from './faces.js' */
import { endsSignIn, liveUrl } from './api.js';
import { FaceBoxes } from './faces.js';
import { StreamPlayer } from './player.js';

/** A picture older than this is no longer called live. */
const staleAfter = 3_000;
const patience = 6_000;

/**
 * @typedef {object} TileActions
 * @property {(tile: Tile) => void} enlarge
 * @property {(tile: Tile) => void} edit
 * @property {(tile: Tile) => void} remove
 * @property {(tile: Tile) => void} toggle
 * @property {() => boolean} mayPlay whether somebody who may look is looking at the page
 */

/**
 * @typedef {{type: string, timestamp: number, faces: Face[]}} DetectionsMessage timestamp in µs
 *
 * @typedef {object} Look what a state looks like
 * @property {'live' | 'wait' | 'error' | 'off'} kind
 * @property {string} word beside the dot
 * @property {string | undefined} [sentence] on the picture; none while it is live
 */

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
function part(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${selector}.`);
  return found;
}

/** Touches the DOM only for news. @param {HTMLElement} element @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Tile {
  /** @type {Stream} */ stream;
  /** @type {HTMLLIElement} */ element;
  /** Canvas and sentence; moves into the large view and back. @type {HTMLElement} */ view;
  /** @type {StreamPlayer} */ player;
  /** An action of the user is on its way to the server. */ busy = false;
  /** @type {() => boolean} */ #mayPlay;
  #onScreen = false;
  #large = false;

  /**
   * @param {Stream} stream
   * @param {HTMLTemplateElement} template
   * @param {TileActions} actions
   */
  constructor(stream, template, actions) {
    this.stream = stream;
    this.#mayPlay = actions.mayPlay;
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLLIElement} */ (part(copy, 'li'));
    this.view = part(copy, '.view');
    const canvas = /** @type {HTMLCanvasElement} */ (part(copy, 'canvas'));
    const faces = new FaceBoxes(part(copy, '.faces'));
    this.player = new StreamPlayer({
      url: () => liveUrl(this.stream.id),
      canvas,
      onChange: () => this.render(),
      onClose: endsSignIn,
      onSize: (width, height) => faces.fit(width, height),
      onMessage: (message) => {
        if (message.type !== 'detections') return;
        const { faces: found, timestamp } = /** @type {DetectionsMessage} */ (message);
        faces.follow(found, timestamp);
      },
    });
    const screen = part(copy, '.screen');
    screen.addEventListener('click', () => actions.enlarge(this));
    // The button has a name of its own, so what is written on the picture must be said beside it.
    part(copy, '.sentence').id = `sentence-${stream.id}`;
    screen.setAttribute('aria-describedby', `sentence-${stream.id}`);
    part(copy, '.toggle').addEventListener('click', () => actions.toggle(this));
    part(copy, '.edit').addEventListener('click', () => actions.edit(this));
    part(copy, '.remove').addEventListener('click', () => actions.remove(this));
    this.render();
  }

  /** News from the list. @param {Stream} stream */
  update(stream) {
    const cameBack = this.player.link === 'refused';
    this.stream = stream;
    if (cameBack) this.player.pause();
    this.#decide();
    this.render();
  }

  /** Only what can be seen is played. @param {boolean} onScreen */
  set onScreen(onScreen) {
    this.#onScreen = onScreen;
    this.#decide();
  }

  /** @param {boolean} large */
  set large(large) {
    this.#large = large;
    this.#decide();
  }

  #decide() {
    const wanted = this.stream.status !== 'offline' && (this.#onScreen || this.#large) && this.#mayPlay();
    if (wanted) this.player.play();
    else this.player.pause();
  }

  /** The page was hidden or shown, the sign-in ended or began. */
  audienceChanged() {
    this.#decide();
  }

  close() {
    this.player.pause();
    this.element.remove();
    this.view.remove();
  }

  /** @returns {Look} */
  look() {
    const { player, stream } = this;
    if (player.link === 'refused') return { kind: 'error', word: 'Error', sentence: player.reason };
    if (player.link === 'waiting') return { kind: 'wait', word: 'Disconnected', sentence: player.reason };
    // The socket knows first; the list is up to 5 s old and says so only while there is no socket.
    const { status, message } = player.camera ?? { status: stream.status, message: stream.last_error };
    switch (status) {
      case 'offline':
        return { kind: 'off', word: 'Offline', sentence: 'This camera is stopped.' };
      case 'error':
        return {
          kind: 'error',
          word: 'Error',
          sentence: message || 'This camera cannot be shown. Check its address.',
        };
      case 'reconnecting':
        return {
          kind: 'wait',
          word: 'Reconnecting',
          sentence: `${message || 'The picture was lost.'} Trying again…`,
        };
      case 'connecting':
        return { kind: 'wait', word: 'Connecting', sentence: message || 'Connecting to the camera…' };
      default:
        return this.#onlineLook();
    }
  }

  /** The camera sends: is there a picture, and is it new? @returns {Look} */
  #onlineLook() {
    const { player } = this;
    const age = performance.now() - player.pictureAt;
    if (player.undecodable)
      return {
        kind: 'error',
        word: 'Unreadable',
        sentence: 'This browser cannot read the camera’s pictures.',
      };
    // Off the screen nothing is played, and nobody looks.
    if (player.link === 'paused') return { kind: 'live', word: 'Online' };
    if (player.fps > 0 && age < staleAfter) return { kind: 'live', word: 'Live' };
    if (player.hasPicture && age < staleAfter) return { kind: 'live', word: 'Online' };
    if (player.link === 'opening')
      return { kind: 'wait', word: 'Opening', sentence: 'Asking the server for the picture…' };
    if (age < patience && !player.hasPicture)
      return { kind: 'wait', word: 'Online', sentence: 'Connected. Waiting for the first picture…' };
    const seconds = Math.round(age / 1000);
    return {
      kind: 'wait',
      word: 'No picture',
      sentence: `The camera is connected, but no picture has come for ${seconds} s.`,
    };
  }

  /** `15 fps`, `24 ms`, `2 viewers`; empty texts while there is nothing to say. */
  figures() {
    const { player, stream } = this;
    if (this.look().kind !== 'live' || player.fps === 0) return { fps: '', delay: '', viewers: '' };
    const viewers = player.viewers ?? stream.viewers;
    return {
      fps: `${player.fps.toFixed(player.fps < 9.95 ? 1 : 0)} fps`,
      delay: player.delay === undefined ? '' : `${Math.round(player.delay)} ms`,
      viewers: `${viewers} ${viewers === 1 ? 'viewer' : 'viewers'}`,
    };
  }

  /** What hinders face detection, for a note on the picture; empty while nothing does. */
  detectionNote() {
    const { state, message } = this.player.camera?.detection ?? {};
    if (this.look().kind !== 'live') return '';
    if (state === 'off') return 'Face detection is off';
    if (state === 'restarting') return message || 'Face detection is starting again…';
    if (state === 'failed') return message || 'Face detection does not work.';
    return '';
  }

  /** Writes the state into the tile. Cheap when nothing has changed. */
  render() {
    if (!this.element) return;
    const { element, view, stream } = this;
    const { kind, word, sentence } = this.look();
    element.dataset.kind = view.dataset.kind = kind;
    view.classList.toggle('has-picture', this.player.hasPicture);
    write(part(element, '.name'), stream.name);
    write(part(element, '.word'), word);
    write(part(view, '.sentence'), sentence ?? '');
    write(part(view, '.note'), this.detectionNote());
    for (const [name, text] of Object.entries(this.figures())) write(part(element, `.${name}`), text);
    const running = stream.status !== 'offline';
    this.#label('.screen', `Show ${stream.name} large`);
    this.#label('.toggle', `${running ? 'Stop' : 'Start'} ${stream.name}`, running ? 'Stop' : 'Start');
    this.#label('.edit', `Edit ${stream.name}`);
    this.#label('.remove', `Delete ${stream.name}`);
    /** @type {HTMLButtonElement} */ (part(element, '.toggle')).disabled = this.busy;
  }

  /** @param {string} selector @param {string} label @param {string} [text] */
  #label(selector, label, text) {
    const button = part(this.element, selector);
    if (button.getAttribute('aria-label') !== label) button.setAttribute('aria-label', label);
    if (text !== undefined) write(button, text);
  }
}
