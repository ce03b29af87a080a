// Reads a password from a terminal without showing it, or from standard input when that is no terminal.
// Judges no password and keeps none.

import { AppError } from './errors.ts';

/** Standard input, or what a test types on. */
export type Keyboard = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
};

const maxLength = 10_000;

function aborted(): AppError {
  return new AppError(400, 'aborted', 'Aborted; nothing was changed.');
}

/**
 * @param prompt written to `output` when `input` is a terminal.
 * @returns the line typed there, or all of a piped input without its line end.
 * @throws AppError when Ctrl-C or Ctrl-D is typed, or the piped input is more than one line.
 */
export function readPassword(
  prompt: string,
  input: Keyboard,
  output: NodeJS.WritableStream,
): Promise<string> {
  return input.isTTY ? typed(prompt, input, output) : piped(input);
}

async function piped(input: Keyboard): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > maxLength) break;
  }
  const line = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (/[\r\n]/.test(line) || length > maxLength)
    throw new AppError(400, 'invalid_request', 'Standard input must be the password alone, on one line.');
  return line;
}

async function typed(prompt: string, input: Keyboard, output: NodeJS.WritableStream): Promise<string> {
  // The terminal shows nothing by itself in this mode, and hands over each key. Before the prompt: some type quickly.
  input.setRawMode?.(true);
  output.write(prompt);
  input.setEncoding('utf8');
  try {
    return await untilEnter(input);
  } finally {
    input.setRawMode?.(false);
    input.pause();
    output.write('\n');
  }
}

function untilEnter(input: Keyboard): Promise<string> {
  return new Promise((resolve, reject) => {
    const characters: string[] = [];
    const done = (settle: () => void, rest = '') => {
      input.off('data', onData);
      input.off('end', onEnd);
      // What was typed ahead belongs to the next question.
      if (rest !== '') input.unshift(rest);
      settle();
    };
    const onEnd = () => done(() => reject(aborted()));
    const onData = (chunk: string | Buffer) => {
      const keys = [...chunk.toString()];
      for (const [index, key] of keys.entries()) {
        if (key === '\r' || key === '\n')
          return done(() => resolve(characters.join('')), keys.slice(index + 1).join(''));
        if (key === '\u0003' || key === '\u0004') return done(() => reject(aborted()));
        if (key === '\u007f' || key === '\b') characters.pop();
        else if (key === '\u0015') characters.length = 0;
        else if (key >= ' ' && characters.length < maxLength) characters.push(key);
      }
    };
    input.on('data', onData);
    input.on('end', onEnd);
    input.resume();
  });
}
