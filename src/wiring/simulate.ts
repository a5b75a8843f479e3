import { MillraceError } from '../base/errors.ts'
import { typescriptKernels } from '../columnar/typescript/index.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { RowMaker } from '../sim/sample-rows.ts'
import { type SimulationReport, simulateSeeds } from '../sim/simulate.ts'

/** How a pipeline is simulated. Everything has a default. */
export interface SimulateOptions {
  /** How many worlds. Default 100. */
  readonly seeds?: number
  /** The first seed. Default 1. */
  readonly from?: number
  /** Makes the JSON value of a record. Default: values that fit the schema. */
  readonly rows?: RowMaker
  /** The same pipeline with changed code: a restart may find any of them. */
  readonly versions?: readonly PipelinePlan[]
}

/**
 * Runs a pipeline in worlds that fail: its own stages under the product's own driver, checkpoint and sinks, over a simulated
 * topic, object store and clock. An auditor checks after every step that each committed row is visible once, unaltered and
 * in order, that no other is, and that the pipeline catches up when the faults are over. No service is needed, no file
 * written; functions of `foreachBatch` are not called.
 *
 * @throws PROMISE_BROKEN with the seed and its trace, INVALID_USAGE
 */
export const simulate = async (pipeline: PipelinePlan, options: SimulateOptions = {}): Promise<SimulationReport> => {
  const { seeds = 100, from = 1, rows = null, versions = [] } = options
  if (!Number.isSafeInteger(seeds) || !Number.isSafeInteger(from) || seeds < 1) {
    throw new MillraceError('INVALID_USAGE', `${seeds} seeds from ${from} on can't be run`, {
      remedy: 'Give whole numbers: { seeds: 100, from: 1 }.',
    })
  }
  const subject = { versions: [pipeline, ...versions], kernels: typescriptKernels, makeRow: rows, mistake: null }
  return simulateSeeds(() => subject, { from, seeds, replay }, { nextTurn })
}

const replay = (seed: number): string => `simulate(pipeline, { from: ${seed}, seeds: 1 })`

/** Resolves when no code is left that could run now. */
const nextTurn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })
