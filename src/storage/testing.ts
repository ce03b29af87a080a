// For tests: places where images are kept, in a real folder or a real bucket, behind the same words.
// Nothing of the stores themselves.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Server } from '../../test/support/s3-server.ts';
import { bucketAddress } from '../base/backend-urls.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { BucketImageStore } from './bucket.ts';
import { FolderImageStore } from './folder.ts';
import type { ImageStore, StoredImage } from './image-store.ts';

export interface Place {
  /** A store, open and counted; each time another one of the same images. */
  open(): Promise<ImageStore>;
  /** Puts something there behind the stores' backs; `..` leads out of them. */
  plant(name: string, text: string): Promise<void>;
  /** Ends all stores; in a folder, what was stored goes as well. */
  clear(): Promise<void>;
}

export async function folderPlace(): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'images-'));
  return {
    async open() {
      const store = new FolderImageStore(join(root, 'media'));
      await store.open();
      return store;
    },
    async plant(name, text) {
      const path = join(root, 'media', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    },
    clear: () => rm(root, { recursive: true, force: true }),
  };
}

let buckets = 0;

/** A prefix of its own in the server's bucket. From here on, this process has the server's keys. */
export async function bucketPlace(server: S3Server, clock: Clock = systemClock): Promise<Place> {
  Object.assign(process.env, server.env);
  const prefix = `place-${buckets++}/images`;
  const stores: BucketImageStore[] = [];
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
  return {
    async open() {
      const store = new BucketImageStore(bucketAddress(server.url(prefix)), clock);
      stores.push(store);
      await store.open();
      await store.recount(0);
      return store;
    },
    async plant(name, text) {
      const key = join(prefix, name);
      await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: text }));
    },
    async clear() {
      client.destroy();
      for (const store of stores) store.close();
    },
  };
}

export function bytes(size: number, value = 7): Uint8Array {
  return new Uint8Array(size).fill(value);
}

export async function listed(store: ImageStore): Promise<StoredImage[]> {
  const images: StoredImage[] = [];
  for await (const some of store.list()) images.push(...some);
  return images;
}
