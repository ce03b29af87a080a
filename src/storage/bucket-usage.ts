// How much is in a bucket, as far as one of several instances can know: counted now and then, in between kept by what
// it puts and deletes itself. A count only; what to do about it is decided in retention.ts.

import type { StorageUsage, StoredImage } from './image-store.ts';

export class BucketUsage {
  #files = 0;
  #bytes = 0;
  #counted = false;

  get figures(): StorageUsage {
    return { files: this.#files, bytes: this.#bytes, counted: this.#counted };
  }

  put(bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
  }

  /** A bucket tells neither what was there nor how large it was: taken for images of the usual size that were. */
  deleted(count: number): void {
    const files = Math.min(count, this.#files);
    if (files === 0) return;
    this.#bytes -= Math.round((this.#bytes / this.#files) * files);
    this.#files -= files;
  }

  /** Nothing changes before `end`; what is put or deleted meanwhile may or may not be in it, until the next one. */
  begin(): { add(images: readonly StoredImage[]): void; end(): void } {
    let files = 0;
    let bytes = 0;
    return {
      add: (images) => {
        files += images.length;
        for (const { size } of images) bytes += size;
      },
      end: () => {
        this.#files = files;
        this.#bytes = bytes;
        this.#counted = true;
      },
    };
  }
}
