// The inbox of alerts: the list, unviewed first, beside the one that is open; on a phone one after the other.
// The list itself is in virtual-list.tsx, what stands in it in use-inbox.ts.

import { useCallback, useMemo, useState } from 'react';
import { useFaceAlerts } from '../../api/live.ts';
import { useStreams } from '../../api/queries.ts';
import type { Alert, AlertFilter, FaceAlertMessage } from '../../api/types.ts';
import { useSession } from '../../session.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { SegmentedChoice } from '../../ui/controls.tsx';
import { cx } from '../../ui/cx.ts';
import { Loaded } from '../../ui/list-state.tsx';
import { SkeletonLines } from '../../ui/surface.tsx';
import { toast } from '../../ui/toast.tsx';
import { RecordFilters } from '../detections/record-filters.tsx';
import { type Search, useRecordSearch } from '../detections/record-search.ts';
import { AlertDetail, NothingOpen } from './alert-detail.tsx';
import { AlertRow, rowHeight, rowId } from './alert-row.tsx';
import { AlertsEmpty } from './alerts-empty.tsx';
import { MarkAll } from './mark-all.tsx';
import type { InboxItem } from './sections.ts';
import { type Inbox, useInbox } from './use-inbox.ts';
import { useKeys } from './use-keys.ts';
import { VirtualList } from './virtual-list.tsx';

type Show = 'all' | 'unviewed';

const headingHeight = 2.25;
const isAlert = (item: InboxItem) => item.kind === 'alert';
const heightOf = (item: InboxItem) => (item.kind === 'heading' ? headingHeight : rowHeight);

function Heading({ section }: { readonly section: 'unviewed' | 'viewed' }) {
  return (
    <h2 className="flex h-full items-end px-4 pb-1.5 font-medium text-ink-faint text-xs">
      {section === 'unviewed' ? text.alerts.unviewedHeading : text.alerts.viewedHeading}
    </h2>
  );
}

/** Says to screen readers what has come in; the eye sees it in the list. */
function Announcer() {
  const { data: streams } = useStreams();
  const [sentence, setSentence] = useState('');
  useFaceAlerts(
    useCallback(
      ({ stream_id: id }: FaceAlertMessage) =>
        setSentence(
          text.alerts.arrived(streams?.find((stream) => stream.id === id)?.name ?? text.nav.camera),
        ),
      [streams],
    ),
  );
  return (
    <p role="status" className="sr-only">
      {sentence}
    </p>
  );
}

interface ListProps {
  readonly inbox: Inbox;
  readonly search: Search;
  readonly show: Show;
  readonly openId: string | null;
  readonly onOpen: (id: string) => void;
}

function List({ inbox, search, show, openId, onOpen }: ListProps) {
  const { may } = useSession();
  const { items, query, fetchMore, isComplete, toggle } = inbox;
  const onToggle = may('operator') ? toggle : undefined;
  return (
    <Loaded query={query} skeleton={<SkeletonLines count={8} className="mx-3 h-14" />}>
      {() =>
        items.length === 0 && isComplete ? (
          <AlertsEmpty
            unviewedOnly={show === 'unviewed'}
            isFiltered={search.isFiltered}
            onClear={search.clear}
            onShowAll={() => search.change({ show: undefined })}
          />
        ) : (
          <VirtualList
            label={text.alerts.list}
            items={items}
            heightOf={heightOf}
            current={openId}
            holds={isAlert}
            hold={openId !== null}
            newAbove={text.alerts.newAbove}
            onNearEnd={fetchMore}
            render={(item) =>
              item.kind === 'heading' ? (
                <Heading section={item.section} />
              ) : (
                <AlertRow
                  alert={item.alert}
                  open={item.alert.id === openId}
                  onToggle={onToggle}
                  onOpen={onOpen}
                />
              )
            }
            footer={
              <p className="flex min-h-12 items-center justify-center text-ink-faint text-sm">
                {isComplete ? text.alerts.end : text.ui.loading}
              </p>
            }
          />
        )
      }
    </Loaded>
  );
}

function Controls({ search, show, unviewed }: { search: Search; show: Show; unviewed: number }) {
  return (
    <search className="grid grid-cols-2 gap-2 border-line border-b px-3 py-2">
      <div className="col-span-2 flex items-center justify-between gap-2">
        <SegmentedChoice<Show>
          label={text.alerts.show}
          value={show}
          onChange={(value) => search.change({ show: value === 'all' ? undefined : value })}
          options={[
            { value: 'all', label: text.alerts.all },
            {
              value: 'unviewed',
              label: unviewed > 0 ? `${text.alerts.unviewedOnly} ${unviewed}` : text.alerts.unviewedOnly,
            },
          ]}
        />
        {search.isFiltered && (
          <Button size="sm" tone="quiet" onClick={search.clear}>
            {text.alerts.clear}
          </Button>
        )}
      </div>
      <RecordFilters search={search} />
    </search>
  );
}

export default function AlertsPage() {
  const search = useRecordSearch();
  const { params, change, times, search: wanted } = search;
  const openId = params.get('alert');
  const show: Show = params.get('show') === 'unviewed' ? 'unviewed' : 'all';
  const filter: AlertFilter = useMemo(
    () => ({ ...times, ...(wanted.camera && { stream_id: wanted.camera }) }),
    [times, wanted.camera],
  );
  const inbox = useInbox(filter, show);
  const { data: streams } = useStreams();
  const [removing, setRemoving] = useState<Alert | null>(null);
  const [enlarged, setEnlarged] = useState(false);
  const camera = streams?.find(({ id }) => id === wanted.camera) ?? null;

  const isOpen = openId !== null;
  const open = useCallback((id: string) => change({ alert: id }, !isOpen), [change, isOpen]);
  const close = () => change({ alert: undefined });
  const opened = inbox.alerts.find(({ id }) => id === openId);

  function move(step: 1 | -1) {
    const at = inbox.alerts.findIndex(({ id }) => id === openId);
    const next = inbox.alerts[at < 0 ? 0 : at + step];
    if (!next) return;
    open(next.id);
    // Once the list has brought it into view.
    requestAnimationFrame(() => document.getElementById(rowId(next.id))?.focus({ preventScroll: true }));
  }

  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    v: () => opened && inbox.toggle(opened),
    ' ': () => opened && inbox.toggle(opened),
    Enter: () => (opened ? setEnlarged(true) : move(1)),
    Escape: close,
  });

  async function remove(alert: Alert) {
    const at = inbox.alerts.findIndex(({ id }) => id === alert.id);
    const next = inbox.alerts[at + 1] ?? inbox.alerts[at - 1];
    await inbox.remove(alert);
    change({ alert: next?.id });
    toast.done(text.alerts.removed);
  }

  return (
    <Page
      title={text.alerts.title}
      width="full"
      aside={<span className="tabular">{inbox.unviewed > 0 && text.nav.unviewed(inbox.unviewed)}</span>}
      actions={
        <MarkAll
          camera={camera}
          unviewed={inbox.unviewed}
          hasTime={wanted.range !== 'any'}
          onDone={inbox.settle}
        />
      }
    >
      <Announcer />
      {/* From edge to edge, and as high as the window: each side scrolls by itself. */}
      <div className="-mx-4 md:-mx-6 -my-4 md:-my-5 flex h-[calc(100dvh-var(--header)-var(--bottom-bar)-1px)]">
        <div
          className={cx(
            'flex min-h-0 w-full flex-col border-line bg-surface md:w-84 md:shrink-0 md:border-r xl:w-96',
            openId !== null && 'max-md:hidden',
          )}
        >
          <Controls search={search} show={show} unviewed={inbox.unviewed} />
          <List inbox={inbox} search={search} show={show} openId={openId} onOpen={open} />
        </div>
        <section
          aria-label={text.alerts.openAlert}
          className={cx('flex min-w-0 flex-1 flex-col', openId === null && 'max-md:hidden')}
        >
          {openId === null ? (
            <NothingOpen />
          ) : (
            <AlertDetail
              id={openId}
              enlarged={enlarged}
              onEnlarge={setEnlarged}
              onToggle={inbox.toggle}
              onRemove={setRemoving}
              onMove={move}
              onClose={close}
            />
          )}
        </section>
      </div>
      {removing && (
        <ConfirmDialog
          title={text.alerts.removeTitle(removing.stream)}
          consequences={[
            text.alerts.removeEffects.gone,
            text.alerts.removeEffects.stay(removing.detections_count),
          ]}
          confirmLabel={text.alerts.removeConfirm}
          onConfirm={() => remove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </Page>
  );
}
