// What all lists have in common in their requests: a page, a range of time, and nothing that is not known.
// Which filters a list has beside them is said with its own schemas.

import { z } from 'zod';

/** A moment without an offset is taken as UTC. ms since 1970 once read. */
export const moment = z.iso
  .datetime({ offset: true, local: true, error: 'must be a time such as 2026-01-31T12:00:00Z' })
  .transform((text) => Date.parse(/(z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`))
  .refine((time) => time >= 0, 'must be a time after 1970');

const limitText = 'must be a whole number from 1 to 500';

export const paging = {
  limit: z.coerce
    .number(limitText)
    .int(limitText)
    .min(1, limitText)
    .max(500, limitText)
    .default(50)
    .describe('At most so many; `next_cursor` leads to the next ones.'),
  cursor: z
    .string('is not a cursor of this list')
    .max(300, 'is not a cursor of this list')
    .optional()
    .describe('`next_cursor` of the page before.'),
};

export const range = {
  since: moment.optional().describe('From this moment on; ISO 8601.'),
  until: moment.optional().describe('Before this moment; ISO 8601.'),
};

/** A filter that is misspelt would otherwise give everything, and look as if it had worked. */
export const listQuery = z.strictObject(paging);

export const nextCursor = z.string().nullable().describe('Null at the end.');
