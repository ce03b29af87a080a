// What stands in the place of a list while it is loading, when it could not be loaded, and below it while there is more.
// The list itself and its empty state belong to the page.

import { RotateCcw, TriangleAlert } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { sentenceOf } from '../api/errors.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';
import { EmptyState } from './surface.tsx';

export interface LoadedProps<Data> {
  /** Of a query: `query={useUsers()}`. */
  readonly query: {
    readonly data: Data | undefined;
    readonly error: unknown;
    readonly isFetching: boolean;
    readonly refetch: () => unknown;
  };
  /** As large as what is coming. */
  readonly skeleton: ReactNode;
  readonly children: (data: Data) => ReactNode;
}

/** What was there before stays in view when asking again fails. */
export function Loaded<Data>({ query, skeleton, children }: LoadedProps<Data>) {
  const { data, error, isFetching, refetch } = query;
  if (data !== undefined) return children(data);
  if (!error) return skeleton;
  return (
    <div role="alert">
      <EmptyState
        icon={TriangleAlert}
        title={text.errors.listTitle}
        actions={
          <Button icon={RotateCcw} busy={isFetching} onClick={() => refetch()}>
            {text.ui.tryAgain}
          </Button>
        }
      >
        <p>{sentenceOf(error)}</p>
      </EmptyState>
    </div>
  );
}

export interface MoreProps {
  /** Of an endless query. */
  readonly query: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly isFetchNextPageError: boolean;
    readonly fetchNextPage: () => unknown;
  };
  /** Said when there is no more. */
  readonly end?: string;
}

/** Fetches the next page when the end of the list comes near; a button for keyboards and after a failure. */
export function More({ query, end }: MoreProps) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const ref = useRef<HTMLDivElement>(null);
  const auto = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;

  useEffect(() => {
    if (!ref.current || !auto) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) fetchNextPage();
      },
      { rootMargin: '600px' },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [auto, fetchNextPage]);

  return (
    <div ref={ref} className="flex min-h-14 items-center justify-center py-3 text-ink-faint text-sm">
      {hasNextPage ? (
        <Button size="sm" tone="quiet" busy={isFetchingNextPage} onClick={() => fetchNextPage()}>
          {text.ui.loadMore}
        </Button>
      ) : (
        end
      )}
    </div>
  );
}
