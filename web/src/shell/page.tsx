// The frame of every page: its heading, the title of the window, and where the focus goes when it opens.
// What is inside belongs to the page; navigation is in shell.tsx.

import { type ReactNode, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { useUnviewedCount } from '../api/queries.ts';
import { text } from '../text.ts';
import { cx } from '../ui/cx.ts';

export interface PageProps {
  /** Heading and title of the window. */
  readonly title: string;
  /** Before the heading: the way back. */
  readonly before?: ReactNode;
  /** Beside the heading: a count, a status. */
  readonly aside?: ReactNode;
  /** Buttons at the end of the heading. */
  readonly actions?: ReactNode;
  /** `text`: as wide as reads well. `full`: all there is, for pictures. */
  readonly width?: 'text' | 'wide' | 'full';
  readonly children: ReactNode;
}

const widths = { text: 'max-w-5xl', wide: 'max-w-[110rem]', full: 'max-w-none' } as const;

/** The page that the document was loaded with leaves the focus where the browser puts it. */
let firstPath: string | null = null;

export function Page({ title, before, aside, actions, width = 'wide', children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [path] = useLocation();
  const unviewed = useUnviewedCount();

  useEffect(() => {
    const count = unviewed ? `(${unviewed > 99 ? '99+' : unviewed}) ` : '';
    document.title = `${count}${title} · ${text.productShort}`;
  }, [title, unviewed]);

  useEffect(() => {
    const first = firstPath === null || firstPath === path;
    firstPath = first ? path : '';
    if (first) return;
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <>
      <header className="sticky top-0 z-20 border-line border-b bg-canvas/92 backdrop-blur">
        <div
          className={cx('mx-auto flex min-h-(--header) items-center gap-3 px-4 py-2 md:px-6', widths[width])}
        >
          {before}
          <h1 ref={heading} tabIndex={-1} className="truncate font-semibold text-lg">
            {title}
          </h1>
          {aside && <div className="min-w-0 text-ink-faint text-sm">{aside}</div>}
          {actions && <div className="ml-auto flex shrink-0 items-center gap-2">{actions}</div>}
        </div>
      </header>
      <div className={cx('mx-auto w-full px-4 py-4 md:px-6 md:py-5', widths[width])}>{children}</div>
    </>
  );
}
