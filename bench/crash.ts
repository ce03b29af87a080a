// kill -9 under steady alerts, many times: is every alert that was told in the database, with its image?
// `node bin/launch.mjs bench/crash.ts --kills 100`, about 3 s a kill; a shorter run is test/faces-crash.test.ts.

import { parseArgs } from 'node:util';
import { crashUnderAlerts } from '../test/support/alert-crashes.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } });
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) throw new Error('--kills takes a whole number from 1');

const report = await crashUnderAlerts({
  kills,
  onKill(kill, { alertsTold, acknowledged, faults }) {
    if (kill % 10 === 0 || faults.length > 0)
      console.error(`${kill} kills: ${alertsTold} alerts told, ${acknowledged} reports acknowledged`, faults);
  },
});
console.log(report);
process.exitCode = report.faults.length === 0 ? 0 : 1;
