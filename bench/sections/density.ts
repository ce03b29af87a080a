// Many cameras on one machine, each with a viewer of its own: rate, delay, and what a camera costs.
// Decoding and JPEG encoding run for every camera here; cameras without viewers are in held.ts.

import { type Figure, percentile } from '../figures.ts';
import { costMeter, delays, inSetting, pause } from '../setting.ts';
import type { Section } from './section.ts';

const count = 16;
const seconds = 20;

export const density: Section = {
  name: 'density',
  about: `${count} cameras 640×480 at 15 frames a second, one JPEG viewer each`,
  run: () =>
    inSetting({ cameras: count }, async ({ cameras, service, fleet, streams }): Promise<Figure[]> => {
      const ids = await fleet.open(streams.map(({ viewerUrl }) => viewerUrl));
      await pause(3_000);
      const serviceCost = costMeter(service.pid);
      const viewersCost = costMeter(fleet.pid);
      const camerasCost = costMeter(cameras.pid);
      await fleet.measure(4, 2_000);
      await pause(seconds * 1_000);
      const used = serviceCost();
      const byViewers = viewersCost().cpuPercent;
      const byCameras = camerasCost().cpuPercent;
      const log = await cameras.sendings();
      const report = await fleet.report();
      const rates = report.viewers.map(({ pictures }) => (pictures / report.elapsedMs) * 1_000);
      const all = report.viewers.flatMap(({ id, seen }) =>
        delays(seen, ({ counter, at }) => log.sentAt(ids.indexOf(id), counter, at)),
      );
      const section = 'density';
      return [
        {
          section,
          name: 'slowest viewer',
          value: Math.min(...rates),
          unit: 'fps',
          target: { atLeast: 14.5 },
        },
        { section, name: 'delay p50', value: percentile(all, 0.5), unit: 'ms', target: { atMost: 30 } },
        { section, name: 'delay p99', value: percentile(all, 0.99), unit: 'ms', target: { atMost: 150 } },
        { section, name: 'CPU a camera', value: used.cpuPercent / count, unit: '% of a core' },
        { section, name: 'memory a camera (PSS)', value: used.after.pss / count / 1e6, unit: 'MB' },
        { section, name: 'CPU of the service', value: used.cpuPercent, unit: '% of a core' },
        { section, name: 'memory of the service (PSS)', value: used.after.pss / 1e6, unit: 'MB' },
        { section, name: 'CPU of the viewers', value: byViewers, unit: '% of a core' },
        { section, name: 'CPU of the cameras', value: byCameras, unit: '% of a core' },
      ];
    }),
};
