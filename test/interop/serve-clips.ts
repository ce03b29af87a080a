// Serves video files as endless cameras of GStreamer's RTSP server, for trying the product by hand: see by-hand.md.
// `node bin/launch.mjs test/interop/serve-clips.ts FILE…` prints the addresses and runs until Ctrl-C.

import { basename, extname, resolve } from 'node:path';
import { type GstCamera, startGstServer } from '../support/gst-rtsp-server.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node bin/launch.mjs test/interop/serve-clips.ts FILE…');
  process.exit(2);
}
const cameras: GstCamera[] = files.flatMap((file) =>
  (['h264', 'h265'] as const).flatMap((codec) =>
    (['tcp', 'udp'] as const).map((transport) => ({
      path: `/${basename(file, extname(file))}/${codec}-${transport}`,
      file: resolve(file),
      codec,
      // The files are H.264: that goes out untouched, the other is encoded once at the start.
      reencode: codec === 'h265',
      transport,
    })),
  ),
);
const server = await startGstServer({ cameras });
for (const { path } of cameras) console.log(server.url(path));
const stop = () => void server.stop().then(() => process.exit(0));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
