/** Tests run on the sources: the `source` condition of package.json's `imports`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // End-to-end tests start processes on cores that other tests keep busy; long counts take as long as they take.
    testTimeout: process.env['MICA_LONG'] === '1' ? 600_000 : 30_000,
  },
});
