// What the charts show, as tables: now, lowest, average and highest of the last hour.

import { text } from '../../text.ts';
import { Card } from '../../ui/surface.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { type Summary, summarise, withUnit } from './figures.ts';
import type { Panel } from './performance-page.tsx';

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly summary: Summary;
}

function figure(id: keyof Summary, header: string): Column<Row> {
  return {
    id,
    header,
    className: 'md:text-right',
    cell: ({ summary, unit }) => <span className="tabular">{withUnit(summary[id], unit)}</span>,
  };
}

const columns: readonly Column<Row>[] = [
  { id: 'name', header: text.performance.series, cell: ({ name }) => name },
  figure('now', text.performance.now),
  figure('lowest', text.performance.lowest),
  figure('average', text.performance.average),
  figure('highest', text.performance.highest),
];

export function FiguresTable({ panels }: { readonly panels: readonly Panel[] }) {
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      {panels.map(({ id, name, about, unit, lines }) => (
        <Card key={id} className="flex min-w-0 flex-col gap-2 p-4">
          <header>
            <h3 className="font-medium">{name}</h3>
            <p className="text-ink-faint text-sm">{about}</p>
          </header>
          <Table
            caption={text.performance.chart(name)}
            columns={columns}
            rows={lines.map((line) => ({ name: line.name, unit, summary: summarise(line.column) }))}
            rowKey={(row) => row.name}
          />
        </Card>
      ))}
    </div>
  );
}
