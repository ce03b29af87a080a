// Choosing a camera and a time: of alerts and of detections.
// What is chosen is kept by record-search.ts.

import { useStreams } from '../../api/queries.ts';
import { text } from '../../text.ts';
import { Input, Select } from '../../ui/controls.tsx';
import { Field } from '../../ui/field.tsx';
import type { Search } from './record-search.ts';
import { rangeNames } from './time-range.ts';

const ranges = rangeNames.map((value) => ({ value, label: text.alerts.ranges[value] }));

/** As `datetime-local` fields want it. */
function fieldOf(moment: string | undefined): string {
  if (!moment) return '';
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** To be laid out by the page: two fields, or four when both ends of the time are chosen by hand. */
export function RecordFilters({ search: { search, times, change } }: { readonly search: Search }) {
  const { data: streams = [] } = useStreams();
  const { camera, range, from, until } = search;
  const cameras = [
    { value: '', label: text.alerts.anyCamera },
    ...streams.map(({ id, name }) => ({ value: id, label: name })),
  ];
  // A camera that has been deleted since.
  if (camera && streams.every(({ id }) => id !== camera)) cameras.push({ value: camera, label: '…' });
  return (
    <>
      <Field label={text.alerts.camera} labelHidden>
        {(control) => (
          <Select
            {...control}
            value={camera}
            options={cameras}
            onChange={(value) => change({ camera: value })}
          />
        )}
      </Field>
      <Field label={text.alerts.range} labelHidden>
        {(control) => (
          <Select
            {...control}
            value={range}
            options={ranges}
            onChange={(value) =>
              change({
                range: value === 'any' ? undefined : value,
                // By hand one goes on from where one was.
                from: value === 'custom' ? fieldOf(times.since) : undefined,
                until: value === 'custom' ? fieldOf(times.until) : undefined,
              })
            }
          />
        )}
      </Field>
      {range === 'custom' && (
        <>
          <Field label={text.alerts.from}>
            {(control) => (
              <Input
                {...control}
                type="datetime-local"
                value={from}
                max={until || undefined}
                onChange={(event) => change({ from: event.target.value })}
              />
            )}
          </Field>
          <Field label={text.alerts.until}>
            {(control) => (
              <Input
                {...control}
                type="datetime-local"
                value={until}
                min={from || undefined}
                onChange={(event) => change({ until: event.target.value })}
              />
            )}
          </Field>
        </>
      )}
    </>
  );
}
