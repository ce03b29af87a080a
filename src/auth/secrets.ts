// The secret of this installation, and the encryption of camera passwords at rest with a key derived from it.
// Knows nothing of where sealed texts are kept, nor of users and sign-in.

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config.ts';
import { AppError } from '../errors.ts';

const fileName = 'secret.key';

/**
 * The setting `SECRET_KEY`, or else the secret in the data folder, made at the first start (mode 0600, complete or not
 * there at all, and one and the same when two processes start at once).
 * @throws ConfigError when the folder cannot be written or the file holds no usable secret.
 */
export function loadSecretKey(config: {
  readonly secretKey: string | undefined;
  readonly dataDir: string;
}): string {
  if (config.secretKey !== undefined) return config.secretKey;
  const path = join(config.dataDir, fileName);
  try {
    return readSecret(path) ?? makeSecret(config.dataDir, path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('DATA_DIR', `cannot hold the generated secret: ${(error as Error).message}`);
  }
}

function readSecret(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  // Never made anew by itself: with another secret, every stored camera password would be lost for good.
  if (text.length < 16)
    throw new ConfigError(
      'SECRET_KEY',
      `is not set and ${path} is damaged; restore the file, or delete it and enter the camera passwords again.`,
    );
  return text;
}

/** Gives the finished file its name. */
function publish(draft: string, path: string): void {
  try {
    // A link fails when the name is taken, where a rename would replace the secret another process just made.
    linkSync(draft, path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
    // A file system without hard links (FAT, some shared folders).
    renameSync(draft, path);
  }
}

function makeSecret(dataDir: string, path: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  const secret = randomBytes(48).toString('base64url');
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, `${secret}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    publish(draft, path);
    return secret;
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readSecret(path) : undefined;
    if (other === undefined) throw error;
    return other;
  } finally {
    rmSync(draft, { force: true });
  }
}

const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;

function derive(secret: string, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `rtsp-stream-viewer ${purpose}`, bytes));
}

interface SealingKey {
  readonly key: KeyObject;
  /** Begins every text sealed with it; holds the version and the key's id. */
  readonly header: string;
}

function sealingKey(secret: string): SealingKey {
  return {
    key: createSecretKey(derive(secret, 'camera credentials', 32)),
    header: `${version}.${derive(secret, 'camera credentials key id', 6).toString('base64url')}`,
  };
}

/**
 * Seals short texts with AES-256-GCM: `v1.<key id>.<nonce, ciphertext and tag in base64url>`. The key and its id are
 * derived from the secret (HKDF, RFC 5869), the id tells another key from damage, and version and id are authenticated.
 * Seals with the current secret only; opens what any of the secrets sealed, so that a secret can be replaced.
 */
export class SecretBox {
  readonly #current: SealingKey;
  readonly #all: readonly SealingKey[];

  /** @param fallbacks former secrets, `SECRET_KEY_FALLBACKS`. */
  constructor(secret: string, fallbacks: readonly string[] = []) {
    this.#current = sealingKey(secret);
    this.#all = [this.#current, ...fallbacks.map(sealingKey)];
  }

  seal(text: string): string {
    const { key, header } = this.#current;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(header));
    const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return `${header}.${Buffer.concat(sealed).toString('base64url')}`;
  }

  /** Whether the current secret sealed it; what is damaged counts as not. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`${this.#current.header}.`);
  }

  /** @throws AppError 409 `credentials_locked` (sealed with an unknown secret) or `credentials_damaged`. */
  open(sealed: string): string {
    const [sealVersion, keyId, body = '', ...rest] = sealed.split('.');
    const header = `${sealVersion}.${keyId}`;
    const bytes = Buffer.from(body, 'base64url');
    if (sealVersion !== version || rest.length > 0 || bytes.length < nonceBytes + tagBytes) throw damaged();
    const known = this.#all.find((candidate) => candidate.header === header);
    if (!known)
      throw new AppError(
        409,
        'credentials_locked',
        'The stored camera password was encrypted with another SECRET_KEY: the password must be entered again.',
      );
    const decipher = createDecipheriv('aes-256-gcm', known.key, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    })
      .setAAD(Buffer.from(header))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch (cause) {
      throw damaged(cause);
    }
  }
}

function damaged(cause?: unknown): AppError {
  return new AppError(
    409,
    'credentials_damaged',
    'The stored camera password is damaged: the password must be entered again.',
    { cause },
  );
}
