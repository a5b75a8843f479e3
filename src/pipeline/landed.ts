import { MillraceError } from '../base/errors.ts'
import { fieldIndex, type TableSchema } from '../columnar/schema.ts'
import type { BranchPlan, PartitionBy, PipelinePlan, StageNode } from './plan.ts'

/** The table that a pipeline's source is landed in, as batch jobs read it. */
export interface LandedTable {
  readonly table: string
  /** Name of the store that it lies in; `null` for the one at the configuration's root. */
  readonly store: string | null
  /** What the names of the coordinates begin with. */
  readonly prefix: string
  readonly partitionBy: PartitionBy
  /** The branch that writes it; `null` where somebody else does. */
  readonly branch: string | null
}

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_PIPELINE', message, { remedy })

/** Options for landing. */
export interface LandedOptions {
  /** The table that holds the rows with their coordinates. */
  readonly table: string
  /** For a table that no branch of the pipeline writes: the timestamp column whose hour its folders are called after. */
  readonly hourOf?: string
  /** For such a table: name of the store that it lies in. Default: the one at the configuration's root. */
  readonly store?: string
  /** For such a table: what the names of its coordinates begin with. Default: nothing. */
  readonly prefix?: string
}

/**
 * Where the rows of a pipeline's source are landed: a branch with `land()` that writes every row unchanged, or a table
 * of somebody else. `null` where the source names none. @throws INVALID_PIPELINE where the branch does not hold all rows
 * or columns of the source
 */
export const landedTable = (plan: PipelinePlan): LandedTable | null => {
  const { landed } = plan.source
  if (landed === null) return null
  const { table } = landed
  const found = plan.branches.flatMap(branch =>
    branch.sinks.flatMap(sink => (sink.kind === 'parquet' && sink.table === table ? [{ branch, sink }] : [])),
  )
  const [own] = found
  if (own === undefined) {
    const partitionBy: PartitionBy = landed.hourOf === null ? { kind: 'none' } : { kind: 'hour', column: landed.hourOf }
    return { table, store: landed.store, prefix: landed.prefix ?? '', partitionBy, branch: null }
  }
  const prefix = requireWhole(own.branch, table, plan.format.schema)
  return { table, store: own.sink.store, prefix, partitionBy: own.sink.partitionBy, branch: own.branch.name }
}

/** @returns the prefix of the coordinates */
const requireWhole = (branch: BranchPlan, table: string, source: TableSchema): string => {
  if (branch.aggregation !== null) throw invalid(`the table ${table} holds aggregates, not the source's rows`, LAND)
  const land = branch.stages.find(stage => stage.kind === 'land')
  if (land === undefined) throw invalid(`the branch ${branch.name} that writes ${table} has no land()`, LAND)
  for (const stage of branch.stages) requireUnchanged(stage, table, source)
  const coordinates = COORDINATES.map(name => land.prefix + name)
  for (const name of [...source.fields.map(field => field.name), ...coordinates]) {
    if (fieldIndex(branch.output, name) !== -1) continue
    throw invalid(`the landed table ${table} does not keep the column ${name}`, LAND)
  }
  return land.prefix
}

const COORDINATES = ['topic', 'partition', 'offset', 'timestamp', 'key', 'headers']
const LAND =
  "Write the source's rows with a branch of their own: raw: rows => rows.land().to(parquet(…)), and name that table in landed."

const requireUnchanged = (stage: StageNode, table: string, source: TableSchema): void => {
  const adds = stage.kind === 'withColumn' && stage.onError === 'fail' && fieldIndex(source, stage.name) === -1
  if (stage.kind === 'land' || stage.kind === 'select' || adds) return
  throw invalid(
    `the landed table ${table} does not hold the source's rows as they are: ${stage.kind} may drop or change some`,
    LAND,
  )
}
