// JPEG pictures onto the screen: the newest only, so that delay cannot add up.
// Every browser can do this: it is what remains when nothing else works.

import type { Screen } from './screen.ts';
import type { View, ViewListener } from './view.ts';

export class JpegView implements View {
  readonly #screen: Screen;
  readonly #listener: ViewListener;
  #next: { readonly data: ArrayBuffer; readonly arrivedAt: number } | null = null;
  #decoding = false;
  #closed = false;
  dropped = 0;
  unshownSince: number | null = null;

  constructor(screen: Screen, listener: ViewListener) {
    this.#screen = screen;
    this.#listener = listener;
  }

  take(data: ArrayBuffer, now: number): void {
    if (this.#next) this.dropped += 1;
    this.#next = { data, arrivedAt: now };
    this.unshownSince ??= now;
    if (!this.#decoding) void this.#decode();
  }

  close(): void {
    this.#closed = true;
    this.#next = null;
  }

  async #decode(): Promise<void> {
    this.#decoding = true;
    for (let next = this.#next; next !== null; next = this.#next) {
      this.#next = null;
      const bitmap = await bitmapOf(new Blob([next.data], { type: 'image/jpeg' }));
      if (bitmap === null) this.dropped += 1;
      else if (!this.#closed) this.#show(bitmap, next.arrivedAt);
      bitmap?.close();
    }
    this.#decoding = false;
  }

  #show(bitmap: ImageBitmap, arrivedAt: number): void {
    this.#screen.draw(bitmap, bitmap.width, bitmap.height, arrivedAt);
    this.unshownSince = null;
    this.#listener.onShown(null);
  }
}

/** Null for what cannot be read as a picture. */
export async function bitmapOf(blob: Blob): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(blob);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}
