import { inspect } from 'node:util';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type S3Server, startS3 } from '../../test/support/s3-server.ts';
import { startTcpProxy } from '../../test/support/tcp-proxy.ts';
import { type BucketAddress, bucketAddress } from '../base/backend-urls.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { BucketImageStore } from './bucket.ts';
import { bucketError } from './bucket-errors.ts';
import { newImageName } from './image-store.ts';
import { bytes, listed } from './testing.ts';

let server: S3Server;
let prefixes = 0;
const cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
  vi.unstubAllEnvs();
});

interface Options {
  readonly address?: Partial<BucketAddress>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

function openStore({ address = {}, env = {}, clock = systemClock }: Options = {}): BucketImageStore {
  for (const [name, value] of Object.entries({ ...server.env, ...env })) vi.stubEnv(name, value);
  const prefix = `bucket-test-${prefixes++}`;
  const store = new BucketImageStore({ ...bucketAddress(server.url(prefix)), ...address }, clock);
  cleanUp.push(() => store.close());
  return store;
}

async function proxied(options: Options = {}) {
  const proxy = await startTcpProxy({ port: server.port });
  cleanUp.push(() => proxy.close());
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  return { proxy, store: openStore({ ...options, address: { endpoint } }) };
}

const unavailable = (message: string) => ({
  status: 503,
  code: 'storage_unavailable',
  message: expect.stringContaining(message),
});

/** All that can be done with a store, each as a promise. */
function everything(store: BucketImageStore): Record<string, () => Promise<unknown>> {
  return {
    put: () => store.put(bytes(10)),
    get: () => store.get(newImageName()),
    delete: () => store.delete([newImageName()]),
    list: () => listed(store),
    recount: () => store.recount(0),
    check: () => store.check(),
  };
}

describe('a bucket', () => {
  it('gets each image as what it is', async () => {
    const store = openStore({ address: { prefix: 'typed/images' } });
    const name = await store.put(bytes(10));
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
    cleanUp.push(() => client.destroy());
    const command = new HeadObjectCommand({ Bucket: server.bucket, Key: `typed/images/${name}` });
    expect(await client.send(command)).toMatchObject({ ContentType: 'image/jpeg', ContentLength: 10 });
  });

  it('keeps stores of different prefixes apart, also when one begins like the other', async () => {
    const [short, long] = ['apart', 'apart-too'].map((prefix) => openStore({ address: { prefix } }));
    const name = await short!.put(bytes(1));
    await long!.put(bytes(2));
    expect((await listed(short!)).map((image) => image.name)).toEqual([name]);
    await expect(long!.get(name)).rejects.toMatchObject({ code: 'image_not_found' });
    await long!.delete([name]);
    expect(await short!.get(name)).toHaveLength(1);
  });

  it('needs no prefix', async () => {
    const store = openStore({ address: { prefix: '' } });
    await store.open();
    const name = await store.put(bytes(5));
    expect(await store.get(name)).toHaveLength(5);
    expect((await listed(store)).map((image) => image.name)).toEqual([name]);
    await store.delete([name]);
  });

  it('that goes away is told at every use, and heals by itself', async () => {
    const store = openStore();
    await store.open();
    const name = await store.put(bytes(10));
    await server.kill();
    for (const use of Object.values(everything(store)))
      await expect(use()).rejects.toMatchObject(unavailable('cannot be reached'));
    await expect(store.open()).rejects.toMatchObject(unavailable('cannot be reached'));
    await server.restart();
    expect(await store.get(name)).toHaveLength(10);
    // What failed is not asked again at once.
    await expect.poll(() => store.check().then(() => 'good'), { timeout: 20_000 }).toBe('good');
    await store.put(bytes(10));
    await store.recount(0);
    expect(store.usage()).toEqual({ files: 2, bytes: 20, counted: true });
  });

  it('that falls silent is given up after a while, and heals by itself', async () => {
    const { proxy, store } = await proxied();
    const name = await store.put(bytes(10));
    proxy.mode('black-hole');
    const { check, ...others } = everything(store);
    const uses = Object.values(others).map((use) => use());
    for (const outcome of await Promise.allSettled(uses))
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable('cannot be reached') });
    await expect(check!()).rejects.toMatchObject(unavailable('cannot be reached'));
    proxy.mode('pass');
    expect(await store.get(name)).toHaveLength(10);
  }, 120_000);

  it('that breaks off in the middle of an image gives none', async () => {
    const { proxy, store } = await proxied();
    const name = await store.put(bytes(500_000));
    proxy.cutAfter(100_000);
    await expect(store.get(name)).rejects.toMatchObject(unavailable('cannot be reached'));
    proxy.cutAfter(Number.POSITIVE_INFINITY);
    expect(await store.get(name)).toHaveLength(500_000);
  });

  it('that is not there ends the start with the name of the setting, and is told at every use', async () => {
    const store = openStore({ address: { bucket: 'no-such-bucket' } });
    await expect(store.open()).rejects.toMatchObject({
      name: 'ConfigError',
      setting: 'STORAGE_URL',
      message: expect.stringMatching(/^STORAGE_URL names a bucket that does not exist/),
    });
    for (const use of Object.values(everything(store)))
      await expect(use()).rejects.toMatchObject(unavailable('does not exist'));
  });

  it('that refuses the keys ends the start, and no key is told', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKIAWRONGWRONG', AWS_SECRET_ACCESS_KEY: 'secretsecretsecret' };
    const store = openStore({ env });
    const errors = [await store.open().catch((error: unknown) => error)];
    expect(errors[0]).toMatchObject({ name: 'ConfigError', message: expect.stringContaining('keys') });
    for (const use of Object.values(everything(store))) {
      const error = await use().catch((reason: unknown) => reason);
      expect(error).toMatchObject(unavailable('refuses the keys'));
      errors.push(error);
    }
    expect(inspect(errors, { depth: 20, showHidden: true })).not.toMatch(/AKIAWRONG|secretsecret/);
  });

  it('without keys or without a region ends the start', async () => {
    const nothing = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const keyless = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
    };
    const withoutKeys = openStore({ env: { ...nothing, ...keyless } });
    await expect(withoutKeys.open()).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('needs keys'),
    });
    const regionless = { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined };
    const address = { endpoint: undefined, region: undefined };
    const withoutRegion = openStore({ address, env: { ...nothing, ...regionless } });
    await expect(withoutRegion.open()).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('names no region'),
    });
  });

  it('is used over a few connections only, which end with the store', async () => {
    const { proxy, store } = await proxied();
    const names = await Promise.all(Array.from({ length: 100 }, () => store.put(bytes(1_000))));
    await Promise.all(names.map((name) => store.get(name)));
    expect(proxy.accepted).toBeLessThanOrEqual(16);
    await Promise.all(Array.from({ length: 100 }, () => store.get(newImageName()).catch(() => null)));
    expect(proxy.accepted).toBeLessThanOrEqual(16);
    store.close();
    await expect.poll(() => proxy.open).toBe(0);
  });

  it('is not asked at each check', async () => {
    let now = 0;
    const clock: Clock = { ...systemClock, now: () => now };
    const { proxy, store } = await proxied({ clock });
    await store.check();
    const asked = proxy.bytesFromServer;
    for (let n = 0; n < 50; n++) await store.check();
    expect(proxy.bytesFromServer).toBe(asked);
    now = 31_000;
    await store.check();
    expect(proxy.bytesFromServer).toBeGreaterThan(asked);
    proxy.mode('refuse');
    // A write that fails makes the check look at once.
    await expect(store.put(bytes(1))).rejects.toMatchObject(unavailable('cannot be reached'));
    await expect(store.check()).rejects.toMatchObject(unavailable('cannot be reached'));
    proxy.mode('pass');
    await expect(store.check()).rejects.toMatchObject(unavailable('cannot be reached'));
    now += 2_001;
    await store.check();
  });

  it('is counted again for what others put, and as seldom as is asked for', async () => {
    let now = 0;
    const clock: Clock = { ...systemClock, now: () => now };
    const address = { prefix: 'counted' };
    const [mine, others] = [openStore({ address, clock }), openStore({ address })];
    await others.put(bytes(1_000));
    expect(mine.usage()).toEqual({ files: 0, bytes: 0, counted: false });
    await mine.recount(60_000);
    expect(mine.usage()).toEqual({ files: 1, bytes: 1_000, counted: true });
    await others.put(bytes(3_000));
    now = 59_000;
    await mine.recount(60_000);
    expect(mine.usage().files).toBe(1);
    now = 61_000;
    await Promise.all([mine.recount(60_000), mine.recount(60_000)]);
    expect(mine.usage()).toEqual({ files: 2, bytes: 4_000, counted: true });
    await mine.delete([(await listed(mine))[0]!.name]);
    // Nobody tells how large it was: it counts as one of the usual size.
    expect(mine.usage()).toEqual({ files: 1, bytes: 2_000, counted: true });
    await mine.recount(0, AbortSignal.abort());
    expect(mine.usage().bytes).toBe(2_000);
    await mine.recount(0);
    expect([1_000, 3_000]).toContain(mine.usage().bytes);
  });
});

describe('the errors of a bucket', () => {
  const said = (name: string, httpStatusCode: number) =>
    Object.assign(new Error('AKIAKEY at /secret/place'), {
      name,
      $metadata: { httpStatusCode },
      AWSAccessKeyId: 'AKIAKEY',
    });

  it('say that it is full, whoever made the store', () => {
    for (const full of [
      said('XMinioStorageFull', 507),
      said('XMinioAdminBucketQuotaExceeded', 400),
      said('QuotaExceeded', 403),
      said('UnknownError', 507),
    ])
      expect(bucketError(full)).toMatchObject({ status: 507, code: 'storage_full' });
  });

  it('never repeat what the store said', () => {
    for (const name of ['SignatureDoesNotMatch', 'InternalError', 'AKIAKEY at "x"', 'constructor', '']) {
      const error = bucketError(said(name, 500));
      expect(error).toMatchObject({ status: 503, code: 'storage_unavailable' });
      expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/AKIAKEY|secret/);
    }
    for (const nothing of [undefined, null, 'text', 7])
      expect(bucketError(nothing)).toMatchObject({ code: 'storage_unavailable' });
  });
});
