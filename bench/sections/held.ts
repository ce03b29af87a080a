// Cameras that are connected while nobody watches: what holding them costs.
// Nothing is decoded here.

import { costMeter, inSetting, pause } from '../setting.ts';
import type { Section } from './section.ts';

const count = 64;
const seconds = 15;

export const held: Section = {
  name: 'held',
  about: `${count} cameras 640×480 at 15 frames a second, connected, without viewers`,
  run: () =>
    inSetting({ cameras: count }, async ({ service }) => {
      await pause(5_000);
      const framesBefore = (await service.metrics())('rtsp_viewer_stream_frames');
      const startedAt = performance.now();
      const cost = costMeter(service.pid);
      await pause(seconds * 1_000);
      const { cpuPercent, after } = cost();
      const frames = (await service.metrics())('rtsp_viewer_stream_frames') - framesBefore;
      const rate = (frames / (performance.now() - startedAt)) * 1_000;
      const section = 'held';
      return [
        {
          section,
          name: 'CPU of the service',
          value: cpuPercent,
          unit: '% of a core',
          target: { atMost: 8 },
        },
        {
          section,
          name: 'memory of the service (PSS)',
          value: after.pss / 1e6,
          unit: 'MB',
          target: { atMost: 250 },
        },
        { section, name: 'processes', value: after.processes, unit: '' },
        // Cheap because nothing came in would be no merit.
        {
          section,
          name: 'frames received',
          value: rate,
          unit: 'a second',
          target: { atLeast: count * 15 * 0.98 },
        },
      ];
    }),
};
