// Images in a bucket of S3 or of something that speaks its protocol: one object for each image.
// Which images are wanted is for others to know; nothing here but this file talks to the bucket.

import { randomBytes } from 'node:crypto';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { BucketAddress } from '../base/backend-urls.ts';
import type { Clock } from '../base/clock.ts';
import { bucketError, bucketErrorAtStart } from './bucket-errors.ts';
import { BucketUsage } from './bucket-usage.ts';
import {
  type ImageStore,
  imageNotFound,
  isImageName,
  newImageName,
  type StorageUsage,
  type StoredImage,
} from './image-store.ts';

/** The protocol's own limit, for names to delete and for names listed. */
const perRequest = 1000;
const attempts = 3;
const socketsAtOnce = 16;
const connectMs = 2_000;
const attemptMs = 5_000;
/** All attempts of one request together. */
const requestMs = 12_000;
/** Somebody waits for the answer of a check. */
const checkMs = 4_000;
/** What was written is as good as a check for so long; what failed is not asked again before. */
const goodMs = 30_000;
const badMs = 2_000;

export class BucketImageStore implements ImageStore {
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #client: S3Client;
  readonly #clock: Clock;
  readonly #usage = new BucketUsage();
  /** When something was last written, and when writing last failed. */
  #writtenAt = Number.NEGATIVE_INFINITY;
  #failure: { readonly at: number; readonly error: unknown } | null = null;
  #checking: Promise<void> | null = null;
  #counting: Promise<void> | null = null;
  #countedAt = Number.NEGATIVE_INFINITY;

  /** Asks nothing yet. Keys come from where the AWS SDK looks for them. */
  constructor({ bucket, prefix, endpoint, region }: BucketAddress, clock: Clock) {
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#clock = clock;
    const agent = { maxSockets: socketsAtOnce, keepAlive: true };
    this.#client = new S3Client({
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      // A store of one's own has no regions, but what is signed names one.
      ...(region !== undefined ? { region } : endpoint !== undefined && { region: 'us-east-1' }),
      maxAttempts: attempts,
      // The signature covers the bytes; other stores than Amazon's do not know the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Would open sockets beyond the limit.
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: connectMs,
        requestTimeout: attemptMs,
        socketTimeout: attemptMs,
        throwOnRequestTimeout: true,
        httpAgent: agent,
        httpsAgent: agent,
      },
    });
  }

  /**
   * Tries all that is done with the bucket. Rejects with ConfigError for `STORAGE_URL` when it is not there or not to be
   * used with these keys, with AppError 503 when it cannot be reached: that passes, and the store heals by itself.
   */
  async open(): Promise<void> {
    const probe = `${this.#prefix}.check-${randomBytes(8).toString('hex')}`;
    try {
      await this.#write(probe, 'text/plain', new Uint8Array(1), requestMs);
      await this.#read(probe);
      await this.#page(undefined, 1);
      await this.#remove([probe]);
    } catch (error) {
      throw bucketErrorAtStart(error);
    }
  }

  /** Ends the connections; what is under way fails. */
  close(): void {
    this.#client.destroy();
  }

  async put(bytes: Uint8Array): Promise<string> {
    const name = newImageName();
    try {
      await this.#write(this.#prefix + name, 'image/jpeg', bytes, requestMs);
    } catch (error) {
      throw bucketError(error);
    }
    this.#usage.put(bytes.byteLength);
    return name;
  }

  async get(name: string): Promise<Uint8Array> {
    if (!isImageName(name)) throw imageNotFound();
    try {
      return await this.#read(this.#prefix + name);
    } catch (error) {
      throw bucketError(error);
    }
  }

  async delete(names: readonly string[]): Promise<void> {
    const images = names.filter(isImageName);
    let failure: unknown = null;
    for (let from = 0; from < images.length; from += perRequest) {
      const some = images.slice(from, from + perRequest);
      try {
        const kept = await this.#remove(some.map((name) => this.#prefix + name));
        this.#usage.deleted(some.length - kept.length);
        failure ??= kept[0] ?? null;
      } catch (error) {
        throw bucketError(error);
      }
    }
    if (failure !== null) throw bucketError(failure);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<readonly StoredImage[]> {
    let token: string | undefined;
    do {
      const page = await this.#page(token, perRequest, signal).catch((error: unknown) => {
        throw bucketError(error);
      });
      if (page.images.length > 0) yield page.images;
      token = page.next;
    } while (token !== undefined);
  }

  usage(): StorageUsage {
    return this.#usage.figures;
  }

  recount(maxAgeMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#clock.now() - this.#countedAt < maxAgeMs) return Promise.resolve();
    this.#counting ??= this.#count(signal).finally(() => {
      this.#counting = null;
    });
    return this.#counting;
  }

  async check(): Promise<void> {
    const now = this.#clock.now();
    if (this.#failure !== null && now - this.#failure.at < badMs) throw bucketError(this.#failure.error);
    if (this.#failure === null && now - this.#writtenAt < goodMs) return;
    // Always the same object: nothing piles up, and nothing needs to be deleted.
    this.#checking ??= this.#write(`${this.#prefix}.check`, 'text/plain', new Uint8Array(1), checkMs)
      .catch((error: unknown) => {
        throw bucketError(error);
      })
      .finally(() => {
        this.#checking = null;
      });
    await this.#checking;
  }

  async #count(signal: AbortSignal | undefined): Promise<void> {
    const begun = this.#clock.now();
    const count = this.#usage.begin();
    try {
      for await (const images of this.list(signal)) count.add(images);
    } catch (error) {
      if (signal?.aborted) return;
      throw error;
    }
    count.end();
    this.#countedAt = begun;
  }

  async #write(key: string, type: string, bytes: Uint8Array, limitMs: number): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: bytes,
      ContentType: type,
    });
    try {
      await this.#client.send(command, { abortSignal: AbortSignal.timeout(limitMs) });
    } catch (error) {
      this.#failure = { at: this.#clock.now(), error };
      throw error;
    }
    this.#failure = null;
    this.#writtenAt = this.#clock.now();
  }

  async #read(key: string): Promise<Uint8Array> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    const abortSignal = AbortSignal.timeout(requestMs);
    const { Body: body } = await this.#client.send(command, { abortSignal });
    return body === undefined ? new Uint8Array() : await body.transformToByteArray();
  }

  /** @returns why, for those that could not be deleted; what is not there is no reason. */
  async #remove(keys: readonly string[]): Promise<Error[]> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket,
      Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
    });
    const { Errors: errors = [] } = await this.#client.send(command, {
      abortSignal: AbortSignal.timeout(requestMs),
    });
    return errors
      .filter(({ Code }) => Code !== 'NoSuchKey')
      .map(({ Code = 'Error' }) => Object.assign(new Error('not deleted'), { name: Code }));
  }

  /** What is under other names is not ours: neither counted nor touched. */
  async #page(token: string | undefined, size: number, signal?: AbortSignal) {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: this.#prefix,
      MaxKeys: size,
      ContinuationToken: token,
    });
    const limit = AbortSignal.timeout(requestMs);
    const page = await this.#client.send(command, {
      abortSignal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
    const images: StoredImage[] = [];
    for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
      const name = Key?.slice(this.#prefix.length) ?? '';
      // What has no date is as young as can be: nobody takes it for an orphan.
      const modified = LastModified?.getTime() ?? this.#clock.wallTime();
      if (isImageName(name)) images.push({ name, size: Size, modified, temporary: false });
    }
    return { images, next: page.IsTruncated === true ? page.NextContinuationToken : undefined };
  }
}
