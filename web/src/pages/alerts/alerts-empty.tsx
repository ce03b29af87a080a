// What the inbox says when it has nothing to show, and what to do about it.

import { BellRing, CheckCheck, SearchX } from 'lucide-react';
import { useStreams } from '../../api/queries.ts';
import { text } from '../../text.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/surface.tsx';

export interface AlertsEmptyProps {
  readonly unviewedOnly: boolean;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
  readonly onShowAll: () => void;
}

export function AlertsEmpty({ unviewedOnly, isFiltered, onClear, onShowAll }: AlertsEmptyProps) {
  const { data: streams } = useStreams();
  if (unviewedOnly)
    return (
      <EmptyState
        icon={CheckCheck}
        title={text.alerts.caughtUpTitle}
        actions={
          <>
            <Button onClick={onShowAll}>{text.alerts.caughtUpAction}</Button>
            {isFiltered && <Button onClick={onClear}>{text.alerts.clear}</Button>}
          </>
        }
      >
        <p>{text.alerts.caughtUp}</p>
      </EmptyState>
    );
  if (isFiltered)
    return (
      <EmptyState
        icon={SearchX}
        title={text.alerts.nothingTitle}
        actions={<Button onClick={onClear}>{text.alerts.clear}</Button>}
      >
        <p>{text.alerts.nothing}</p>
      </EmptyState>
    );
  const noCameras = streams?.length === 0;
  return (
    <EmptyState
      icon={BellRing}
      title={text.alerts.emptyTitle}
      actions={noCameras && <LinkButton to="/cameras">{text.alerts.emptyAction}</LinkButton>}
    >
      <p>{noCameras ? text.alerts.emptyNoCameras : text.alerts.empty}</p>
    </EmptyState>
  );
}
