// The audit trail, for admins: who did what, newest first, by action, person and time.

import { ScrollText, SearchX, X } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { useAudit } from '../../api/queries.ts';
import type { AuditAction, AuditEntry, AuditFilter } from '../../api/types.ts';
import { formatDayTime } from '../../format.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Input, Select } from '../../ui/controls.tsx';
import { cx } from '../../ui/cx.ts';
import { Field } from '../../ui/field.tsx';
import { Loaded, More } from '../../ui/list-state.tsx';
import { Code, Dot, EmptyState, SkeletonLines, type Tone } from '../../ui/surface.tsx';
import { type Column, Table } from '../../ui/table.tsx';

interface Wanted {
  readonly action: AuditAction | '';
  readonly actor: string;
  /** Of a date field: local days, both included. */
  readonly from: string;
  readonly to: string;
}

const anything: Wanted = { action: '', actor: '', from: '', to: '' };

/** Local midnight of a day as in `2026-01-31`. */
function startOf(day: string, plusDays = 0): string | undefined {
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date) return undefined;
  return new Date(year, month - 1, date + plusDays).toISOString();
}

function filterOf({ action, actor, from, to }: Wanted): AuditFilter {
  return {
    action: action || undefined,
    actor: actor.trim() || undefined,
    since: startOf(from),
    until: startOf(to, 1),
  };
}

const tones: Partial<Record<AuditAction, Tone>> = {
  sign_in_failed: 'warn',
  token_reused: 'bad',
  user_deleted: 'bad',
  api_token_deleted: 'bad',
  stream_deleted: 'bad',
  detection_deleted: 'bad',
  alert_deleted: 'bad',
};

const actions = (Object.keys(text.audit.actions) as AuditAction[]).map((value) => ({
  value,
  label: text.audit.actions[value],
}));

const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const columns: readonly Column<AuditEntry>[] = [
  {
    id: 'action',
    header: text.audit.action,
    className: 'md:whitespace-nowrap',
    cell: ({ action }) => (
      <span className="inline-flex items-baseline gap-2">
        <Dot tone={tones[action] ?? 'neutral'} />
        {text.audit.actions[action] ?? action}
      </span>
    ),
  },
  {
    id: 'when',
    header: text.audit.when,
    className: 'md:w-44',
    cell: ({ timestamp }) => <span className="tabular text-ink-soft">{formatDayTime(timestamp)}</span>,
  },
  {
    id: 'actor',
    header: text.audit.actor,
    className: 'md:w-48',
    cell: ({ actor, actor_role: role }) => (
      <span className="inline-flex flex-wrap items-baseline gap-x-2">
        {actor ?? <span className="text-ink-faint">{text.audit.nobody}</span>}
        {role && <span className="text-ink-faint text-sm">{text.role.names[role]}</span>}
      </span>
    ),
  },
  {
    id: 'subject',
    header: text.audit.subject,
    cell: ({ subject, detail }) => {
      // People know things by their names; the id is for whoever looks for it.
      const [first, second] = detail && subject && isId.test(subject) ? [detail, subject] : [subject, detail];
      return (
        <span className="flex flex-wrap items-baseline gap-x-2">
          <span>{first ?? text.ui.none}</span>
          {second && <span className="text-ink-faint text-sm">{second}</span>}
        </span>
      );
    },
  },
  {
    id: 'address',
    header: text.audit.address,
    className: 'md:w-40',
    cell: ({ address }) => <Code>{address}</Code>,
  },
];

function Filters({
  input,
  onChange,
}: {
  readonly input: Wanted;
  readonly onChange: (input: Wanted) => void;
}) {
  const isFiltered = Object.values(input).some((value) => value !== '');
  return (
    <search className="mb-4 grid grid-cols-2 items-end gap-3 md:grid-cols-[14rem_12rem_10rem_10rem_auto]">
      <Field label={text.audit.action} className="max-md:col-span-2">
        {(control) => (
          <Select
            {...control}
            value={input.action}
            onChange={(action) => onChange({ ...input, action })}
            options={[{ value: '', label: text.audit.anyAction }, ...actions]}
          />
        )}
      </Field>
      <Field label={text.audit.actorFilter} className="max-md:col-span-2">
        {(control) => (
          <Input
            {...control}
            type="search"
            placeholder={text.audit.actorPlaceholder}
            value={input.actor}
            onChange={(event) => onChange({ ...input, actor: event.target.value })}
          />
        )}
      </Field>
      <Field label={text.audit.since}>
        {(control) => (
          <Input
            {...control}
            type="date"
            max={input.to || undefined}
            value={input.from}
            onChange={(event) => onChange({ ...input, from: event.target.value })}
          />
        )}
      </Field>
      <Field label={text.audit.until}>
        {(control) => (
          <Input
            {...control}
            type="date"
            min={input.from || undefined}
            value={input.to}
            onChange={(event) => onChange({ ...input, to: event.target.value })}
          />
        )}
      </Field>
      <Button
        tone="quiet"
        icon={X}
        disabled={!isFiltered}
        className={cx('justify-self-start max-md:col-span-2', !isFiltered && 'max-md:hidden')}
        onClick={() => onChange(anything)}
      >
        {text.audit.clear}
      </Button>
    </search>
  );
}

function Nothing({ filtered, onClear }: { readonly filtered: boolean; readonly onClear: () => void }) {
  return filtered ? (
    <EmptyState
      icon={SearchX}
      title={text.audit.emptyTitle}
      actions={<Button onClick={onClear}>{text.audit.clear}</Button>}
    >
      <p>{text.audit.empty}</p>
    </EmptyState>
  ) : (
    <EmptyState icon={ScrollText} title={text.audit.nothingTitle}>
      <p>{text.audit.nothing}</p>
    </EmptyState>
  );
}

export default function AuditPage() {
  const [input, setInput] = useState(anything);
  const settled = useDeferredValue(input);
  const query = useAudit(filterOf(settled));
  const entries = query.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Page title={text.audit.title}>
      <Filters input={input} onChange={setInput} />
      <Loaded query={query} skeleton={<SkeletonLines count={10} className="h-8" />}>
        {() =>
          entries.length === 0 ? (
            <Nothing filtered={settled !== anything} onClear={() => setInput(anything)} />
          ) : (
            <>
              <Table caption={text.audit.caption} columns={columns} rows={entries} rowKey={({ id }) => id} />
              <More query={query} end={text.audit.end} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
