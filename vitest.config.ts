import { defineConfig } from 'vitest/config';

// Real sockets, processes and browsers mostly wait: three files at a time use two cores well, more would starve each other.
export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'simulator/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
      'web/src/**/*.test.ts',
    ],
    // The service under test serves the built page.
    globalSetup: 'test/support/build-page.ts',
    maxWorkers: 3,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
