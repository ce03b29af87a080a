import { defineConfig } from 'vitest/config';

// Real sockets, processes and browsers on few cores: files run one after another, so that none starves another.
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'simulator/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
