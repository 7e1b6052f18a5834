/** Three suites: `architecture` (part of `npm run check`), `unit` (mirrors src/) and `integration` (real servers and clients). */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 20_000 } },
    projects: [
      { extends: true, test: { name: 'architecture', include: ['test/architecture.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/architecture.test.ts', 'test/integration/**', 'test/incidents/**'],
        },
      },
      {
        extends: true,
        test: { name: 'integration', include: ['test/{integration,incidents}/**/*.test.ts'], testTimeout: 400_000 },
      },
    ],
  },
});
