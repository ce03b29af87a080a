// What is searched for in alerts and detections, kept in the address: it survives a reload and can be passed on.
// The controls are in record-filters.tsx.

import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { type RangeName, rangeNames, type TimeRange, timeRange } from './time-range.ts';

export interface RecordSearch {
  /** Id of a camera, or empty for all. */
  readonly camera: string;
  readonly range: RangeName;
  /** Of `custom` only, as `datetime-local` fields give them. */
  readonly from: string;
  readonly until: string;
}

const members = ['camera', 'range', 'from', 'until'] as const;

/** The members that are not the usual ones; undefined removes one. */
export type SearchChange = Readonly<Record<string, string | undefined>>;

export interface Search {
  readonly params: URLSearchParams;
  readonly search: RecordSearch;
  /** Stays the same as long as the search does: "last hour" is the hour before it was chosen, and what came since. */
  readonly times: TimeRange;
  /** @param push as a step that the browser's Back undoes. */
  readonly change: (change: SearchChange, push?: boolean) => void;
  readonly isFiltered: boolean;
  readonly clear: () => void;
}

export function useRecordSearch(): Search {
  const [params, setParams] = useSearchParams();
  const [camera = '', wanted = '', from = '', until = ''] = members.map((name) => params.get(name) ?? '');
  const range = rangeNames.find((name) => name === wanted) ?? 'any';
  const times = useMemo(() => timeRange(range, from, until, Date.now()), [range, from, until]);

  const change = useCallback(
    (changed: SearchChange, push = false) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changed))
            if (value === undefined || value === '') next.delete(name);
            else next.set(name, value);
          return next;
        },
        { replace: !push },
      );
    },
    [setParams],
  );

  return {
    params,
    search: { camera, range, from, until },
    times,
    change,
    isFiltered: camera !== '' || range !== 'any',
    clear: useCallback(
      () => change({ camera: undefined, range: undefined, from: undefined, until: undefined }),
      [change],
    ),
  };
}
