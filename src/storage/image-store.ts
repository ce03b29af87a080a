// The port to where images are kept, with the names that images have there.
// No I/O; a folder or a bucket stands behind it.

import { randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';

export interface StoredImage {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** ms since 1970. */
  readonly modified: number;
  /** Left over from a write that was interrupted: no image, and never named by a row. */
  readonly temporary: boolean;
}

export interface StorageUsage {
  readonly files: number;
  readonly bytes: number;
  /** False until what was there at start has been counted. */
  readonly counted: boolean;
}

/**
 * Rejects with AppError: 507 `storage_full`, 503 `storage_unavailable` (gone, read-only, broken), 404 `image_not_found`.
 * Every call tries anew, so that the store heals as soon as what is behind it does.
 */
export interface ImageStore {
  /** @returns the new image's name, once its bytes are safe from a crash. Names say nothing and are never used twice. */
  put(bytes: Uint8Array): Promise<string>;
  /** Any text may be asked for; what is no name of an image is not found. */
  get(name: string): Promise<Uint8Array>;
  /** Those that are not there are skipped; one that cannot be deleted does not keep the others. */
  delete(names: readonly string[]): Promise<void>;
  /** Everything that is there, in small steps and no order; what changes meanwhile may or may not be seen. */
  list(): AsyncIterable<readonly StoredImage[]>;
  usage(): StorageUsage;
  /**
   * Counts again what is there when that was last done more than `maxAgeMs` ago and others may have changed it since.
   * Ends early, with nothing changed, when `signal` says so.
   */
  recount(maxAgeMs: number, signal?: AbortSignal): Promise<void>;
  /** Rejects when nothing can be written. Leaves no image behind; may be asked often. */
  check(): Promise<void>;
}

const imageName = /^[0-9a-f]{2}\/[0-9a-f]{30}\.jpg$/;

/** 128 random bits; the first 8 are the folder, so that no folder grows large. */
export function newImageName(): string {
  const digits = randomBytes(16).toString('hex');
  return `${digits.slice(0, 2)}/${digits.slice(2)}.jpg`;
}

/** Nothing else is ever looked up: a name cannot lead out of the store. */
export function isImageName(name: string): boolean {
  return imageName.test(name);
}

export function imageNotFound(): AppError {
  return new AppError(404, 'image_not_found', 'There is no such image.');
}

/** A failure of the file system as an error that people can act on; its path stays out of the message. */
export function storageError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AppError(507, 'storage_full', 'The disk for images is full.', { cause });
  }
  const message = (code && reasons[code]) ?? 'Images cannot be stored or read.';
  return new AppError(503, 'storage_unavailable', message, { cause, ...(code && { detail: code }) });
}

const reasons: Readonly<Record<string, string>> = {
  EROFS: 'The folder for images is read-only.',
  EACCES: 'The folder for images may not be written or read.',
  EPERM: 'The folder for images may not be written or read.',
  ENOENT: 'The folder for images is gone and cannot be made again.',
  ENOTDIR: 'The folder for images is not a folder.',
  EEXIST: 'The folder for images is not a folder.',
  EIO: 'The disk for images reports errors.',
};
