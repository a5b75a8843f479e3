import { batchPlan } from '../batch/batch-plan.ts'
import { duckdbViews } from '../batch/duckdb-view.ts'
import { HourLog } from '../batch/hour-log.ts'
import type { HourRecord } from '../batch/hour-record.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { Config } from './config/config.ts'
import { openStore } from './stores.ts'
import { systemClock } from './system.ts'

/** What is known of a pipeline's batch tables. */
export interface BatchTables {
  readonly pipeline: string
  readonly location: string
  readonly tables: readonly string[]
  readonly hours: readonly HourRecord[]
  /** SQL that makes DuckDB views of the tables. */
  readonly duckdbViews: string
}

/** Reads the records of all hours. @throws BATCH_LOG_DAMAGED, STORE_FAILED */
export const batchTables = async (plan: PipelinePlan, config: Config): Promise<BatchTables> => {
  const store = await openStore(config)
  const hours = await new HourLog({ store, clock: systemClock }, plan.name).all()
  const tables = batchPlan(plan).plan.branches.flatMap(({ sinks }) =>
    sinks.flatMap(sink => (sink.kind === 'parquet' ? [sink.table] : [])),
  )
  const { location } = store
  return { pipeline: plan.name, location, tables, hours, duckdbViews: duckdbViews(plan, location, hours) }
}
