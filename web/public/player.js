// Plays one camera on a canvas: its WebSocket, its newest picture, its figures. Reconnects by itself.
// Knows nothing of the page around the canvas; what a state looks like in words is in tile.js.

/**
 * @typedef {'paused' | 'opening' | 'open' | 'waiting' | 'refused'} Link
 * `waiting`: no connection, tries again by itself. `refused`: the server said why, trying again would not help.
 *
 * @typedef {object} CameraStatus
 * @property {'offline' | 'connecting' | 'online' | 'reconnecting' | 'error'} status
 * @property {string} [message] why, as a sentence
 * @property {{state: 'off' | 'starting' | 'ready' | 'restarting' | 'failed', message?: string}} [detection]
 *   how the face detector of this camera is
 *
 * @typedef {object} PlayerOptions
 * @property {() => string} url address of the WebSocket, asked at each connection
 * @property {HTMLCanvasElement} canvas takes on the size of the pictures
 * @property {() => void} [onChange] link or camera status have changed
 * @property {(message: {type: string}) => void} [onMessage] each text message, after the player has used it
 * @property {(code: number) => boolean} [onClose] the server closed the socket; true: do not try again by yourself
 * @property {(width: number, height: number) => void} [onSize] pictures have another size than before, in pixels
 */

const firstWait = 500;
const longestWait = 10_000;
/** The server sends figures every 5 s: after this silence the connection is dead, whatever TCP believes. */
const longestSilence = 12_000;
const longestOpening = 8_000;
/** A timer this late means that the machine slept; the old connection is then not worth waiting for. */
const sleepGap = 5_000;
const fpsWindow = 3_000;

const closeCodes = { badRequest: 4400, noSuchStream: 4404, tooMany: 4429 };

export class StreamPlayer {
  /** @type {PlayerOptions} */ #options;
  /** @type {CanvasRenderingContext2D} */ #context;
  /** @type {WebSocket | undefined} */ #socket;
  /** @type {Blob | undefined} The one picture that waits; a newer one takes its place. */ #next;
  /** Pictures that were drawn in the last seconds, as times of performance.now(). @type {number[]} */ #drawn =
    [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #watch;
  #decoding = false;
  #attempt = 0;
  #openedAt = 0;
  #heardAt = 0;
  #tickedAt = 0;
  #paintTime = 0;
  #serverDelay = /** @type {number | undefined} */ (undefined);

  /** @type {Link} */ link = 'paused';
  /** Why the link is not open, as a sentence. @type {string | undefined} */ reason;
  /** As told on this connection; undefined until then. @type {CameraStatus | undefined} */ camera;
  /** @type {number | undefined} */ viewers;
  /** Something has been drawn, now or on an earlier connection. */ hasPicture = false;
  /** performance.now() of the newest picture on this connection, or of the connection when there was none. */
  pictureAt = 0;
  /** The browser could not decode the newest picture. */ undecodable = false;

  /** @param {PlayerOptions} options */
  constructor(options) {
    this.#options = options;
    const context = options.canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('This browser has no 2D canvas.');
    this.#context = context;
  }

  /** Connects, unless it has. */
  play() {
    if (this.link !== 'paused') return;
    this.#attempt = 0;
    this.#tickedAt = performance.now();
    this.#watch = setInterval(() => this.#look(), 1000);
    this.#open();
  }

  /** Closes the connection; the last picture stays on the canvas. */
  pause() {
    if (this.link === 'paused') return;
    clearInterval(this.#watch);
    this.#drop();
    this.#set('paused');
  }

  /** The network is back: does not wait for the next try. */
  hurry() {
    if (this.link !== 'waiting') return;
    this.#attempt = 0;
    this.#drop();
    this.#open();
  }

  /** Pictures drawn a second. */
  get fps() {
    const from = Math.max(performance.now() - fpsWindow, this.#openedAt);
    const recent = this.#drawn.filter((time) => time >= from);
    const [first, last] = [recent[0], recent.at(-1)];
    // Intervals, not pictures, are counted: the figure is right from the second picture on.
    return first !== undefined && last !== undefined && last > first
      ? ((recent.length - 1) * 1000) / (last - first)
      : 0;
  }

  /** From the camera's last packet of a picture to the canvas, without the network to this browser, ms. */
  get delay() {
    return this.#serverDelay === undefined ? undefined : this.#serverDelay + this.#paintTime;
  }

  #open() {
    const socket = new WebSocket(this.#options.url());
    socket.binaryType = 'blob';
    this.#socket = socket;
    this.#openedAt = this.#heardAt = this.pictureAt = performance.now();
    this.#set('opening');
    // A socket that was given up may still report: only the present one is listened to.
    const listen = (/** @type {string} */ type, /** @type {(event: any) => void} */ handle) =>
      socket.addEventListener(type, (event) => {
        if (socket === this.#socket) handle(event);
      });
    listen('open', () => this.#set('open'));
    listen('message', ({ data }) => {
      this.#heardAt = performance.now();
      this.#attempt = 0;
      if (typeof data === 'string') this.#read(data);
      else this.#take(data);
    });
    listen('close', ({ code, reason }) => this.#closed(code, reason));
  }

  /**
   * @param {number} code
   * @param {string} reason the server's sentence; may be empty
   */
  #closed(code, reason) {
    this.#drop();
    if (this.#options.onClose?.(code)) {
      this.pause();
      return;
    }
    if (code === closeCodes.badRequest || code === closeCodes.noSuchStream) {
      clearInterval(this.#watch);
      this.#set('refused', reason || 'The server does not show this camera.');
      return;
    }
    const full = code === closeCodes.tooMany;
    if (full) this.#attempt = 10;
    this.#set('waiting', `${(full && reason) || 'No live connection to the server.'} Trying again…`);
    const wait = Math.min(longestWait, firstWait * 2 ** Math.min(this.#attempt, 10));
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.#open(), wait * (0.75 + Math.random() * 0.5));
  }

  #drop() {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#next = undefined;
    this.#drawn.length = 0;
    this.camera = undefined;
    this.viewers = undefined;
    this.#serverDelay = undefined;
    socket?.close();
  }

  /** Once a second: notices connections that died without a word. */
  #look() {
    const now = performance.now();
    const slept = now - this.#tickedAt > sleepGap;
    this.#tickedAt = now;
    if (this.link === 'waiting') {
      if (slept) this.hurry();
      return;
    }
    const limit = this.link === 'opening' ? longestOpening : longestSilence;
    if (slept || now - this.#heardAt > limit) {
      this.#drop();
      this.#open();
    }
  }

  /** @param {string} text */
  #read(text) {
    const message = JSON.parse(text);
    if (message.type === 'status') {
      const { status, message: why, detection } = message;
      this.camera = { status, message: why, detection };
      this.#options.onChange?.();
    } else if (message.type === 'performance_stats') {
      this.viewers = message.viewers;
      // Zero until the server has sent pictures to this viewer.
      this.#serverDelay = message.latency_ms || undefined;
    }
    this.#options.onMessage?.(message);
  }

  /**
   * Pictures that come while one is being decoded replace each other, so the delay cannot add up.
   * @param {Blob} picture
   */
  async #take(picture) {
    this.#next = picture;
    if (this.#decoding) return;
    this.#decoding = true;
    while (this.#next) {
      const blob = this.#next;
      this.#next = undefined;
      const begun = performance.now();
      try {
        const bitmap = await createImageBitmap(blob);
        // Not after a pause or a reconnection: that picture belongs to the past.
        if (this.#socket) this.#draw(bitmap, begun);
        bitmap.close();
      } catch (error) {
        if (!this.undecodable) console.warn('A picture could not be decoded:', error);
        this.undecodable = true;
      }
    }
    this.#decoding = false;
  }

  /**
   * @param {ImageBitmap} bitmap
   * @param {number} begun performance.now() when it arrived
   */
  #draw(bitmap, begun) {
    const { canvas, onSize } = this.#options;
    const { width, height } = bitmap;
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      onSize?.(width, height);
    }
    this.#context.drawImage(bitmap, 0, 0);
    const now = performance.now();
    this.#paintTime += (now - begun - this.#paintTime) * 0.1;
    this.#drawn.push(now);
    while (this.#drawn[0] !== undefined && this.#drawn[0] < now - fpsWindow) this.#drawn.shift();
    this.pictureAt = now;
    this.undecodable = false;
    if (!this.hasPicture) {
      this.hasPicture = true;
      this.#options.onChange?.();
    }
  }

  /**
   * @param {Link} link
   * @param {string} [reason]
   */
  #set(link, reason) {
    this.link = link;
    this.reason = reason;
    this.#options.onChange?.();
  }
}
