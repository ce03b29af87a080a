// The process behind s3-server.ts: s3rver, made as firm as a bucket is.
// Started with its options as JSON; tells its port in the first line it prints; ends when its standard input does.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';

interface Stored {
  readonly bucket: string;
  readonly key: string;
  readonly content: AsyncIterable<Uint8Array>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface FileStore {
  getResourcePath(bucket: string, key: string, resource: string): string;
  putMetadata(bucket: string, key: string, metadata: Stored['metadata']): Promise<void>;
  putObject(object: Stored): Promise<{ size: number; md5: string }>;
  deleteObject(bucket: string, key: string): Promise<void>;
}

const require = createRequire(import.meta.url);
const S3rver: new (options: object) => { run(): Promise<{ port: number }> } = require('s3rver');
const store: FileStore = require('s3rver/lib/stores/filesystem.js').prototype;

/** Its own answers before the bytes are written, and shows halves. */
store.putObject = async function (this: FileStore, { bucket, key, content, metadata }) {
  const bytes = await buffer(content);
  const temporary = `${key}.${randomUUID()}`;
  const path = (name: string, resource: string) => this.getResourcePath(bucket, name, resource);
  await mkdir(dirname(path(key, 'object')), { recursive: true });
  await writeFile(path(temporary, 'new'), bytes);
  await this.putMetadata(bucket, temporary, metadata);
  await rename(path(temporary, 'metadata.json'), path(key, 'metadata.json'));
  await rename(path(temporary, 'new'), path(key, 'object'));
  return { size: bytes.length, md5: createHash('md5').update(bytes).digest('hex') };
};

/** Its own removes the folder as well, under the hands of whoever is just writing into it. */
store.deleteObject = async function (this: FileStore, bucket, key) {
  for (const resource of ['object', 'object.md5', 'metadata.json'])
    await rm(this.getResourcePath(bucket, key, resource), { force: true });
};

/** Its tokens for the next page of a list are in DES, which OpenSSL no longer has by itself: three times the same key is the same. */
const crypto: typeof import('node:crypto') = require('node:crypto');
const { createCipheriv, createDecipheriv } = crypto;
const triple = (key: Buffer) => Buffer.concat([key, key, key]);
Object.assign(crypto, {
  createCipheriv: (_: string, key: Buffer, iv: Buffer) => createCipheriv('des-ede3-cbc', triple(key), iv),
  createDecipheriv: (_: string, key: Buffer, iv: Buffer) => createDecipheriv('des-ede3-cbc', triple(key), iv),
});

process.stdin.resume().on('end', () => process.exit());
const { port } = await new S3rver(JSON.parse(process.argv[2] ?? '{}')).run();
console.log(port);
