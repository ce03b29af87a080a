// Header fields of an RTSP message: case-insensitive, several values under one name kept apart (RFC 2326 §12).
// Knows no particular header; their grammars live with what uses them.

export class RtspHeaders {
  readonly #fields: { readonly key: string; readonly name: string; value: string }[] = [];

  static of(fields: Readonly<Record<string, string | undefined>>): RtspHeaders {
    const headers = new RtspHeaders();
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) headers.append(name, value);
    return headers;
  }

  get size(): number {
    return this.#fields.length;
  }

  /** The first value under this name, in any case. */
  get(name: string): string | undefined {
    const key = name.toLowerCase();
    return this.#fields.find((field) => field.key === key)?.value;
  }

  getAll(name: string): string[] {
    const key = name.toLowerCase();
    return this.#fields.filter((field) => field.key === key).map((field) => field.value);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  append(name: string, value: string): void {
    this.#fields.push({ key: name.toLowerCase(), name, value });
  }

  /** Replaces every value under this name. */
  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  delete(name: string): void {
    const key = name.toLowerCase();
    for (let i = this.#fields.length - 1; i >= 0; i--)
      if (this.#fields[i]!.key === key) this.#fields.splice(i, 1);
  }

  /** A folded line (RFC 2326 §4.2 via RFC 822): its text belongs to the field before it. */
  continueLast(text: string): void {
    const last = this.#fields.at(-1);
    if (last) last.value = `${last.value} ${text}`.trim();
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (const { name, value } of this.#fields) yield [name, value];
  }
}
