// What the checks of the container files share: how they tell what is wrong, and the settings that may be given to a container.
// The checks themselves are beside it.

import { settingNames } from '../../src/config.ts';

/** One line for people: file, place and what is wrong. */
export interface Problem {
  /** From the project's root. */
  readonly file: string;
  /** A line's number, or the path to a member, such as `services.redis.image`. */
  readonly where: string;
  readonly what: string;
}

/** Read by the AWS SDK, by Node and by the system, beside the service's own. */
const others = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'NODE_ENV', 'PATH', 'TZ'];

export const isSetting = (name: string) => settingNames.includes(name) || others.includes(name);

const secretWords = /PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE|ACCESS_KEY|API_?KEY|CREDENTIAL|AUTH$/;

/** Whether a variable of this name holds something that nobody may read in a file. */
export const isSecretName = (name: string) =>
  secretWords.test(name.toUpperCase()) && !/ACCESS_KEY_ID$/.test(name);

/** `1.2.3`, with whatever follows it, or a release named by its time; `1`, `1.2` and `latest` are other images tomorrow. */
export function imagePin(image: string): 'precise' | 'loose' | 'none' {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return 'precise';
  const tag = /:([\w][\w.-]{0,127})$/.exec(image.slice(image.lastIndexOf('/') + 1))?.[1];
  if (tag === undefined || tag === 'latest') return 'none';
  // PostgreSQL counts in two numbers since its version 10.
  const precise =
    /^v?\d+\.\d+\.\d+|^RELEASE\.\d{4}-\d\d-\d\dT/.test(tag) || /(^|\/)postgres:\d{2}\.\d+/.test(image);
  return precise ? 'precise' : 'loose';
}
