/** The door for tests, `millrace/testing`: a pipeline in worlds that fail. */
export type { RowMaker, SampledAt } from './sim/sample-rows.ts'
export type { SimulationReport } from './sim/simulate.ts'
export { type SimulateOptions, simulate } from './wiring/simulate.ts'
