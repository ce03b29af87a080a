// How the page is built from web/, and served while it is being worked on.
// When it is built is decided in scripts/build-web.ts.

import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const service = process.env.SERVICE_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  root: at('web'),
  publicDir: at('web/static'),
  cacheDir: at('node_modules/.vite-web'),
  plugins: [react(), tailwindcss()],
  worker: { format: 'es' },
  build: {
    outDir: at('web/dist'),
    emptyOutDir: true,
    target: ['chrome123', 'firefox125', 'safari17.5'],
    // A file each, whatever its size: the content policy allows no data: fonts, styles or workers.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      // The second entry is for pages of others, which import it by name.
      input: { index: at('web/index.html'), 'live-player': at('web/src/live/index.ts') },
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: ({ name }) => (name === 'live-player' ? '[name].js' : 'assets/[name]-[hash].js'),
        // Changes seldom, so that browsers keep it over updates of the page.
        codeSplitting: {
          groups: [
            {
              name: 'libraries',
              test: /node_modules[\\/](react|react-dom|scheduler|@tanstack|wouter|regexparam)[\\/]/,
            },
          ],
        },
      },
    },
  },
  server: {
    // The names stay as the browser knows them: the service compares Origin and Host.
    proxy: Object.fromEntries(
      ['/api', '/media', '/healthz', '/readyz', '/ws'].map((path) => [
        path,
        { target: service, changeOrigin: false, ws: path === '/ws' },
      ]),
    ),
  },
});
