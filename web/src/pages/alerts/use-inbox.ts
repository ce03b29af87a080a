// The inbox as it is shown: fetched page by page, kept in place while it is worked through, and what can be done in it.
// The order is decided in sections.ts; how it looks is in alert-list.tsx.

import { useCallback, useMemo, useState } from 'react';
import { sentenceOf } from '../../api/errors.ts';
import { useDeleteAlert, useSetViewed } from '../../api/mutations.ts';
import { useAlerts } from '../../api/queries.ts';
import type { Alert, AlertFilter } from '../../api/types.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { toast } from '../../ui/toast.tsx';
import { type Held, type InboxItem, itemsOf, type Section, sectionOf, sectionsOf } from './sections.ts';

export interface Inbox {
  readonly items: readonly InboxItem[];
  /** In the order of the list. */
  readonly alerts: readonly Alert[];
  /** The query that decides whether there is anything at all. */
  readonly query: ReturnType<typeof useAlerts>;
  /** Of the camera that is shown, or of all. */
  readonly unviewed: number;
  readonly fetchMore: () => void;
  readonly isComplete: boolean;
  readonly toggle: (alert: Alert) => void;
  readonly remove: (alert: Alert) => Promise<unknown>;
  /** What was marked takes its new place. */
  readonly settle: () => void;
}

/** @param filter camera and time; the same object as long as they are the same. */
export function useInbox(filter: AlertFilter, show: 'all' | 'unviewed'): Inbox {
  const { may } = useSession();
  const [kept, setKept] = useState<{ filter: AlertFilter; show: string; held: Held }>();
  const held: Held = useMemo(
    () => (kept?.filter === filter && kept.show === show ? kept.held : new Map()),
    [kept, filter, show],
  );
  const setHeld = useCallback(
    (change: (before: Held) => Held) =>
      setKept((before) => ({
        filter,
        show,
        held: change(before?.filter === filter && before.show === show ? before.held : new Map()),
      })),
    [filter, show],
  );

  const unviewed = useAlerts({ ...filter, viewed: false });
  const allUnviewed = unviewed.data !== undefined && !unviewed.hasNextPage;
  const viewed = useAlerts({ ...filter, viewed: true }, 50, show === 'all' && allUnviewed);

  const sections = useMemo(() => {
    const pages = [...(viewed.data?.pages ?? []), ...(unviewed.data?.pages ?? [])];
    return sectionsOf(
      pages.flatMap((page) => page.alerts),
      held,
      filter,
    );
  }, [unviewed.data, viewed.data, held, filter]);
  const shown: readonly Section[] = useMemo(
    () => (show === 'unviewed' ? ['unviewed'] : allUnviewed ? ['unviewed', 'viewed'] : ['unviewed']),
    [show, allUnviewed],
  );
  const items = useMemo(() => itemsOf(sections, shown), [sections, shown]);
  const alerts = useMemo(() => shown.flatMap((section) => sections[section]), [sections, shown]);

  const { mutate } = useSetViewed();
  const toggle = useCallback(
    (alert: Alert) => {
      if (!may('operator')) return toast.failed(text.alerts.needsOperator);
      const hold = (one: Alert) =>
        setHeld((before) => {
          const section = before.get(one.id)?.section ?? sectionOf(alert);
          return new Map(before).set(one.id, { section, alert: one });
        });
      const next = !alert.viewed;
      hold({ ...alert, viewed: next });
      mutate(
        { alert, viewed: next },
        {
          onError: (error) => {
            hold(alert);
            toast.failed(sentenceOf(error));
          },
        },
      );
    },
    [may, mutate, setHeld],
  );

  const { mutateAsync } = useDeleteAlert();
  const remove = useCallback(
    async (alert: Alert) => {
      await mutateAsync(alert);
      setHeld((before) => new Map([...before].filter(([id]) => id !== alert.id)));
    },
    [mutateAsync, setHeld],
  );

  const next = unviewed.hasNextPage || show === 'unviewed' ? unviewed : viewed;
  return {
    items,
    alerts,
    query: show === 'all' && allUnviewed && sections.unviewed.length === 0 ? viewed : unviewed,
    unviewed: unviewed.data?.pages[0]?.unviewed ?? 0,
    fetchMore: () => {
      if (next.hasNextPage && !next.isFetchingNextPage && !next.isFetchNextPageError)
        void next.fetchNextPage();
    },
    isComplete: !next.hasNextPage && next.data !== undefined && !next.isPlaceholderData,
    toggle,
    remove,
    settle: () => setHeld(() => new Map()),
  };
}
