import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (file: string): string => fileURLToPath(new URL(`./src/${file}`, import.meta.url))
const alias = [
  { find: /^millrace$/, replacement: source('index.ts') },
  { find: /^millrace\/testing$/, replacement: source('testing.ts') },
]

/** How long something may take on a busy machine before it counts as not happening. */
const expectation = { poll: { timeout: 60_000 } }

/**
 * `unit`: no service, no network, seconds. `simulation`: the driver under faults, without services; longer. `system`:
 * real Kafka and the built package; the setup file starts what is needed and stops it again.
 */
export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          // files share a process: loading the product anew for each of a hundred files is a third of the suite's time
          isolate: false,
          expect: expectation,
          include: ['test/unit/**/*.test.ts'],
          globalSetup: ['test/support/build-kernels.ts'],
          testTimeout: 180_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'simulation',
          expect: expectation,
          include: ['test/simulation/**/*.test.ts'],
          globalSetup: ['test/support/build-kernels.ts'],
          testTimeout: 300_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'system',
          expect: expectation,
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/system/setup/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
