// Reads a Dockerfile: stages, and in each its instructions with flags and words.
// Knows the grammar and no rules; here-documents and other escape characters, which ours does without, are refused.

export interface Instruction {
  /** Counted from 1. */
  readonly line: number;
  /** In capitals: `COPY`. */
  readonly keyword: string;
  /** `--from=page` as `from` → `page`; a flag without a value as the empty text. */
  readonly flags: ReadonlyMap<string, string>;
  /** What follows the flags, on one line. */
  readonly text: string;
  /** `text` at its spaces, quotes taken off; or the members of the JSON array that it is. */
  readonly words: readonly string[];
  readonly json: boolean;
}

export interface Stage {
  readonly line: number;
  readonly name: string | null;
  /** Of a registry, `scratch`, or an earlier stage. */
  readonly image: string;
  readonly platform: string | null;
  readonly instructions: readonly Instruction[];
}

/** @throws Error that begins with the line's number when it is no Dockerfile that can be read here. */
export function parseDockerfile(source: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructionsOf(source)) {
    if (instruction.keyword === 'FROM') stages.push({ ...stageOf(instruction), instructions: [] });
    else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else throw new Error(`${instruction.line}: ${instruction.keyword} stands before the first FROM`);
  }
  return stages;
}

function stageOf({ line, words: [image, as, name, ...rest], flags }: Instruction): Stage {
  if (image === undefined || rest.length > 0 || (as !== undefined && as.toUpperCase() !== 'AS'))
    throw new Error(`${line}: FROM takes an image, or an image AS a name`);
  return { line, image, name: name ?? null, platform: flags.get('platform') ?? null, instructions: [] };
}

function* instructionsOf(source: string): Generator<Instruction> {
  let begun: { readonly line: number; readonly text: string } | null = null;
  for (const [index, raw] of source.split('\n').entries()) {
    // Comments and empty lines do not end an instruction that goes on below them.
    if (/^\s*(#|$)/.test(raw)) continue;
    const goesOn = /\\\s*$/.test(raw);
    const text = raw.replace(/\\\s*$/, '').trim();
    const line: number = begun?.line ?? index + 1;
    const whole: string = begun ? `${begun.text} ${text}` : text;
    begun = goesOn ? { line, text: whole } : null;
    if (!goesOn) yield instructionOf(line, whole);
  }
  if (begun) throw new Error(`${begun.line}: the file ends in the middle of an instruction`);
}

function instructionOf(line: number, whole: string): Instruction {
  const [keyword = ''] = whole.split(/\s/, 1);
  if (!/^[A-Z]+$/.test(keyword)) throw new Error(`${line}: instructions are written in capitals`);
  const [, flagged = '', text = ''] = /^((?:--\S+\s+)*)(.*)$/.exec(whole.slice(keyword.length).trim()) ?? [];
  const flags = new Map<string, string>();
  for (const [, name = '', value = ''] of flagged.matchAll(/--([a-z-]+)(?:=(\S+))?/g)) flags.set(name, value);
  if (/(^|\s)<<-?["']?[A-Za-z]/.test(text)) throw new Error(`${line}: here-documents are not read here`);
  const array = arrayOf(keyword === 'HEALTHCHECK' ? text.replace(/^CMD\s+/, '') : text);
  return { line, keyword, flags, text, words: array ?? wordsOf(text), json: array !== null };
}

/** The exec form; null for the shell's. */
function arrayOf(text: string): string[] | null {
  if (!text.startsWith('[')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((member) => typeof member === 'string') ? value : null;
  } catch (error) {
    // As Docker takes it: what is no JSON is a command for the shell, in which `[` is one too.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function wordsOf(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  );
}

/** `NAME=value` pairs of ENV, ARG and LABEL; the old form `ENV NAME value` counts as the one pair that it is. */
export function pairsOf({ words }: Instruction): (readonly [name: string, value: string])[] {
  if (words[0] !== undefined && !words[0].includes('=')) return [[words[0], words.slice(1).join(' ')]];
  return words.map((word) => {
    const end = word.indexOf('=');
    return end === -1 ? [word, ''] : [word.slice(0, end), word.slice(end + 1)];
  });
}

/** What COPY takes and where it puts it. */
export function copyOf({ words }: Instruction): { readonly sources: readonly string[]; readonly to: string } {
  return { sources: words.slice(0, -1), to: words.at(-1) ?? '' };
}
