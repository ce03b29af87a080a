// Passwords: what one must be, and its hash with scrypt (RFC 7914), off the main thread and a bounded number at a time.
// Nobody gets more than a fair part of the waiting places. Does not know whose password it is, nor where hashes are kept.

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { AppError, type Issue } from '../errors.ts';

/** Cost of one hash: N = 2^logN, about 128 · N · r bytes of memory, p times over. */
export interface PasswordCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP Password Storage Cheat Sheet: 32 MiB each; 0.2 s on a small machine. */
export const defaultCost: PasswordCost = { logN: 15, r: 8, p: 3 };

const saltBytes = 16;
const hashBytes = 32;
const least = 8;
const most = 256;
/** In UTF-16 units, before the normal form is made. */
const mostRaw = 4 * most;

/** What is wrong with a new password, as people are told. */
export function passwordIssues(password: string, userName: string, path = 'password'): Issue[] {
  const normal = password.length > mostRaw ? password : normalPassword(password);
  const length = [...normal].length;
  if (length < least || length > most || password.length > mostRaw)
    return [{ path, message: `must have ${least} to ${most} characters` }];
  if (normal.toLowerCase() === userName.normalize('NFKC').toLowerCase())
    return [{ path, message: 'must not be the user name' }];
  return [];
}

/** The same characters give the same bytes, whatever keyboard or system they were typed on. */
function normalPassword(password: string): string {
  return password.normalize('NFKC');
}

interface ParsedHash {
  readonly cost: PasswordCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const form =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{32,128})$/;

/** As in the PHC string format: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`, both in base64 without padding. */
function format({ cost: { logN, r, p }, salt, hash }: ParsedHash): string {
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=${logN},r=${r},p=${p}$${text(salt)}$${text(hash)}`;
}

function parse(stored: string): ParsedHash | null {
  const [, logN, r, p, salt, hash] = form.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  // A damaged row must not take all memory: 256 MiB at most.
  if (cost.logN < 1 || cost.r < 1 || cost.p < 1 || 2 ** cost.logN * cost.r > 2 ** 21) return null;
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

function derive(password: string, salt: Buffer, { logN, r, p }: PasswordCost, bytes: number) {
  const N = 2 ** logN;
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 2) * 2 };
  return new Promise<Buffer>((resolve, reject) => {
    // On a thread of libuv's pool: the main thread goes on meanwhile.
    scrypt(password, salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

export interface PasswordsOptions {
  readonly cost?: PasswordCost;
  /** Hashes under way at the same time: half of libuv's threads, which files and names need as well. */
  readonly atOnce?: number;
  /** Those that may wait for their turn. */
  readonly waiting?: number;
}

/** Of one address or user, so that nobody alone keeps all others waiting. */
const waitingEach = 2;

interface Waiting {
  readonly askers: readonly string[];
  readonly begin: () => void;
}

export class Passwords {
  readonly #cost: PasswordCost;
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: Waiting[] = [];
  /** What is compared with when there is no such user: nobody knows its password, and it takes as long. */
  readonly #nobody: ParsedHash;
  #running = 0;
  #hashed = 0;

  constructor({ cost = defaultCost, atOnce = 2, waiting = 16 }: PasswordsOptions = {}) {
    this.#cost = cost;
    this.#atOnce = atOnce;
    this.#mostWaiting = waiting;
    this.#nobody = { cost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) };
  }

  /** Hashes begun since the start. */
  get hashed(): number {
    return this.#hashed;
  }

  /** Whether one more would not be refused. @param askers the address and the user it is for, as of `askersOf`. */
  hasRoom(askers: readonly string[]): boolean {
    return this.#refusal(askers) === null;
  }

  /** @throws AppError 503 `sign_in_busy` when there is no room, 429 `too_many_attempts` when there is none for them. */
  checkRoom(askers: readonly string[]): void {
    const refusal = this.#refusal(askers);
    if (refusal) throw refusal;
  }

  /** @param askers none on this machine's own behalf. @throws AppError as `checkRoom`. */
  async hash(password: string, askers: readonly string[] = []): Promise<string> {
    const salt = randomBytes(saltBytes);
    const hash = await this.#derive(normalPassword(password), salt, this.#cost, hashBytes, askers);
    return format({ cost: this.#cost, salt, hash });
  }

  /**
   * @param stored null when there is no such user: takes as long as a wrong password, and is never right.
   * @returns `outdated`: made with other parameters than new hashes; to be made anew, now that the password is known.
   * @throws AppError as `checkRoom`.
   */
  async verify(
    password: string,
    stored: string | null,
    askers: readonly string[] = [],
  ): Promise<{ right: boolean; outdated: boolean }> {
    // Longer than any password can be: not worth its normal form, but no quicker an answer than others.
    const possible = password.length <= mostRaw;
    const known = stored === null || !possible ? null : parse(stored);
    const { cost, salt, hash } = known ?? this.#nobody;
    const plain = possible ? normalPassword(password) : '';
    const found = await this.#derive(plain, salt, cost, hash.length, askers);
    const right = timingSafeEqual(found, hash) && known !== null;
    const { logN, r, p } = this.#cost;
    return { right, outdated: cost.logN !== logN || cost.r !== r || cost.p !== p };
  }

  async #derive(
    password: string,
    salt: Buffer,
    cost: PasswordCost,
    bytes: number,
    askers: readonly string[],
  ): Promise<Buffer> {
    this.checkRoom(askers);
    if (this.#running < this.#atOnce) this.#running += 1;
    // Whoever is done hands its place on.
    else await new Promise<void>((begin) => this.#waiting.push({ askers, begin }));
    this.#hashed += 1;
    try {
      return await derive(password, salt, cost, bytes);
    } finally {
      const next = this.#waiting.shift();
      if (next) next.begin();
      else this.#running -= 1;
    }
  }

  #refusal(askers: readonly string[]): AppError | null {
    if (this.#running < this.#atOnce) return null;
    const waits = (asker: string) => this.#waiting.filter((each) => each.askers.includes(asker)).length;
    if (askers.some((asker) => waits(asker) >= waitingEach))
      return new AppError(
        429,
        'too_many_attempts',
        'Too many passwords are being checked for you at the same time: try again in 2 seconds.',
        { retryAfter: 2 },
      );
    if (this.#waiting.length < this.#mostWaiting) return null;
    return new AppError(
      503,
      'sign_in_busy',
      'Too many passwords are being checked at the moment: try again in 5 seconds.',
      { retryAfter: 5 },
    );
  }
}
