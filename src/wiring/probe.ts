import type { SourcePlanner } from '../ingest/source.ts'
import type { DriverParts } from '../microbatch/driver-parts.ts'
import type { Probe } from '../observe/probe.ts'

/**
 * A probe of what a driver stands on. `openSource` makes a planner of the probe's own, as the driver's may be waiting for an answer;
 * `null` where the source is part of this process and the driver's answers at once.
 */
export const makeProbe = (
  { checkpoint, source }: Pick<DriverParts, 'checkpoint' | 'source'>,
  openSource: (() => SourcePlanner) | null,
): Probe => {
  let own: SourcePlanner | null = null
  return {
    source: () => {
      own ??= openSource?.() ?? null
      return (own ?? source).bounds()
    },
    store: () => checkpoint.requireOwnership(),
    close: async () => {
      await own?.close()
    },
  }
}
