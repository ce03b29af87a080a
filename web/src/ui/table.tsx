// Tables of records: columns on wide screens, cards of labelled lines on a phone, from one description.
// No sorting or fetching; lists come in order from the server.

import type { ReactNode } from 'react';
import { cx } from './cx.ts';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Of the column; its width for tables only: `md:w-40`. */
  readonly className?: string;
  /** Buttons and menus: no header for the eye, at the end of the line, beside the first cell on a phone. */
  readonly actions?: boolean;
}

export interface TableProps<Row> {
  /** Says what is listed, for screen readers. */
  readonly caption: string;
  /** The first one names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, rowKey }: TableProps<Row>) {
  return (
    // The roles hold when a phone's layout takes the table apart: some browsers then forget them.
    // biome-ignore-start lint/a11y/noRedundantRoles: see above
    <table role="table" className="w-full border-separate border-spacing-0 max-md:block">
      <caption className="sr-only">{caption}</caption>
      <thead role="rowgroup" className="max-md:sr-only">
        <tr role="row">
          {columns.map(({ id, header, className, actions }) => (
            <th
              key={id}
              role="columnheader"
              scope="col"
              className={cx(
                'border-line border-b px-3 py-2 text-left font-medium text-ink-faint text-xs',
                className,
              )}
            >
              {actions ? <span className="sr-only">{header}</span> : header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" className="max-md:flex max-md:flex-col max-md:gap-2">
        {rows.map((row) => (
          <tr
            key={rowKey(row)}
            role="row"
            className={cx(
              'group hover:bg-hover',
              'max-md:relative max-md:flex max-md:flex-col max-md:gap-1 max-md:rounded-lg max-md:border max-md:border-line max-md:bg-surface max-md:p-3',
            )}
          >
            {columns.map((column, index) => (
              <Cell key={column.id} column={column} first={index === 0} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  );
}

const cellLook =
  'border-line border-b px-3 py-1.5 align-middle group-last:border-b-0 max-md:border-0 max-md:p-0';

function Cell<Row>({ column, first, row }: { column: Column<Row>; first: boolean; row: Row }) {
  const { header, cell, className, actions } = column;
  if (first)
    return (
      <th
        // biome-ignore lint/a11y/noRedundantRoles: see Table
        role="rowheader"
        scope="row"
        className={cx(cellLook, 'text-left font-medium max-md:pr-12 max-md:text-lg', className)}
      >
        {cell(row)}
      </th>
    );
  if (actions)
    return (
      <td
        // biome-ignore lint/a11y/noRedundantRoles: see Table
        role="cell"
        className={cx(cellLook, 'text-right max-md:absolute max-md:top-1.5 max-md:right-1.5', className)}
      >
        {cell(row)}
      </td>
    );
  return (
    <td
      // biome-ignore lint/a11y/noRedundantRoles: see Table
      role="cell"
      className={cx(
        cellLook,
        'max-md:grid max-md:grid-cols-[7.5rem_minmax(0,1fr)] max-md:items-baseline max-md:gap-3',
        className,
      )}
    >
      <span aria-hidden className="shrink-0 text-ink-faint text-sm md:hidden">
        {header}
      </span>
      <span className="min-w-0">{cell(row)}</span>
    </td>
  );
}
