// Passwords and tokens that addresses carry as parameters (`?user=admin&password=…`): where they begin and end.
// Text in, text out; what an address is otherwise, and who keeps its secrets, is known elsewhere.

export const secretMask = '****';

/** Words that tell a secret wherever they stand in a parameter's name, and short ones that must be the whole name. */
const telling = 'password|passwd|passphrase|token|secret|api[_-]?key|signature|credential';
const whole = 'pass|pwd|psw|pw|loginpas|auth|authbasic|authorization|access|refresh|key|sig|jwt';
/** Repetitions are bounded, so that no text makes the search slow. */
const name = `(?:[\\w.-]{0,40}?(?:${telling})[\\w.-]{0,40}|(?:${whole})\\d?)`;

/** XM cameras put everything into the path, joined by underscores: only these names end a value there. */
const pathNames = '_(?:user|username|password|channel|stream|subtype|type|ch|chn)';

/**
 * What stands before a secret, with its name, and the secret. A parameter of a query ends at `&`; one in a path
 * (`/user=admin_password=…_channel=1`) also at the next `/`, `?` or known name. Rather too much is taken for the secret
 * than too little. The second pair is the same percent-encoded once, as an address stands in the query of another one.
 */
const parameters = [
  [`(?:^|[?&;\\s"])${name}=`, '[^&#\\s"]*'],
  [`[/_]${name}=`, `(?:(?!${pathNames}=)[^&#?/\\s"])*`],
  [`%(?:3f|26|3b)${name}%3d`, '(?:(?!%(?:26|23))[^&#\\s"])*'],
  [`(?:%2f|_)${name}%3d`, `(?:(?!%(?:26|23|3f|2f)|${pathNames}%3d)[^&#\\s"])*`],
] as const;

const pattern = new RegExp(parameters.map(([start, value]) => `(${start})(${value})`).join('|'), 'gi');

/** @param replace gets each secret as it stands in the text, and the text before it with its name, in order. */
export function replaceSecretParameters(
  text: string,
  replace: (secret: string, before: string) => string,
): string {
  return text.replace(pattern, (_all, ...groups: (string | undefined)[]) => {
    const found = parameters.findIndex((_, index) => groups[2 * index] !== undefined);
    const before = groups[2 * found]!;
    return before + replace(groups[2 * found + 1]!, before);
  });
}

export function maskSecretParameters(text: string): string {
  return replaceSecretParameters(text, () => secretMask);
}
