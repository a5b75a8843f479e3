import { HOUR_MS, type TimeRange } from '../base/hours.ts'
import { type EpochMs, epochMs } from '../base/units.ts'
import { fieldIndex } from '../columnar/schema.ts'
import { type LandedTable, landedTable } from '../pipeline/landed.ts'
import type { BranchPlan, PipelinePlan, StageNode, TumblingWindow } from '../pipeline/plan.ts'

/** What batch jobs compute of a pipeline: the branches that write tables, hour by hour. */
export interface BatchPlan {
  /** The pipeline with these branches and their tables alone; workers derive the same from the same file. */
  readonly plan: PipelinePlan
  readonly landed: LandedTable | null
  /** One for each branch. */
  readonly branches: readonly BatchBranch[]
  readonly skipped: readonly SkippedBranch[]
}

export interface BatchBranch {
  readonly name: string
  readonly window: TumblingWindow | null
  /** Timestamp column of the branch's rows that tells their hour; `null` where the window's start does. */
  readonly hourColumn: string | null
  /** The column of the source that this time comes from unchanged; `null` where a lambda makes it. */
  readonly sourceColumn: string | null
}

/** A branch that batch jobs leave out, and why. */
export interface SkippedBranch {
  readonly branch: string
  readonly why: string
}

/** Derives what batch jobs do from a pipeline. Pure. */
export const batchPlan = (plan: PipelinePlan): BatchPlan => {
  const landed = landedTable(plan)
  const kept: { readonly branch: BranchPlan; readonly batch: BatchBranch }[] = []
  const skipped: SkippedBranch[] = []
  for (const branch of plan.branches) {
    const sinks = branch.sinks.filter(sink => sink.kind === 'parquet')
    const found =
      branch.name === landed?.branch
        ? 'it lands the source'
        : sinks.length === 0
          ? 'it writes no table'
          : batchBranch(plan, branch, landed)
    if (typeof found === 'string') skipped.push({ branch: branch.name, why: found })
    else kept.push({ branch: Object.freeze({ ...branch, sinks }), batch: found })
  }
  return {
    plan: Object.freeze({ ...plan, branches: kept.map(({ branch }) => branch) }),
    landed,
    branches: kept.map(({ batch }) => batch),
    skipped,
  }
}

const batchBranch = (plan: PipelinePlan, branch: BranchPlan, landed: LandedTable | null): BatchBranch | string => {
  const { name } = branch
  const traced = (column: string) => sourceColumn(plan, branch.stages, column)
  if (branch.aggregation !== null) {
    const { window } = branch.aggregation
    if (window === null) return 'it has no window'
    return { name, window, hourColumn: null, sourceColumn: traced(window.eventTime) }
  }
  const columns = new Set(branch.sinks.flatMap(sink => hourColumnOf(sink)))
  if (columns.size > 1) return 'its tables are partitioned by the hours of different columns'
  const [own] = columns
  const landedHour = landed?.partitionBy.kind === 'hour' ? landed.partitionBy.column : null
  const hourColumn = own ?? (landedHour !== null && traced(landedHour) !== null ? landedHour : null)
  if (hourColumn === null || branch.output.fields[fieldIndex(branch.output, hourColumn)]?.type !== 'timestamp') {
    return 'nothing tells the hour of its rows: partition its table by the hour of a timestamp'
  }
  return { name, window: null, hourColumn, sourceColumn: traced(hourColumn) }
}

const hourColumnOf = (sink: BranchPlan['sinks'][number]): readonly string[] =>
  sink.kind === 'parquet' && sink.partitionBy.kind === 'hour' ? [sink.partitionBy.column] : []

/** The column of the source that reaches the end of the stages under this name, if no stage makes it anew. */
const sourceColumn = (plan: PipelinePlan, stages: readonly StageNode[], name: string): string | null => {
  const made = stages.some(
    stage => stage.kind === 'map' || stage.kind === 'flatMap' || (stage.kind === 'withColumn' && stage.name === name),
  )
  return made || fieldIndex(plan.format.schema, name) === -1 ? null : name
}

/** Where in time the rows lie that an hour's results come from. */
export interface HourInput {
  /** The source's column that the range is of; `null` where only all rows will do. */
  readonly within: (TimeRange & { readonly column: string }) | null
}

/** The input of an hour: windows that start in it may reach beyond its end, so the next hours' rows may be needed. */
export const inputOf = ({ branches }: BatchPlan, hour: EpochMs): HourInput => {
  const ranges = branches.map(branch => ({ column: branch.sourceColumn, ...rangeOf(branch, hour) }))
  const [first] = ranges
  if (first === undefined || first.column === null) return { within: null }
  if (ranges.some(({ column }) => column !== first.column)) return { within: null }
  const from = Math.min(...ranges.map(range => range.from))
  const until = Math.max(...ranges.map(range => range.until))
  return { within: { column: first.column, from: epochMs(from), until: epochMs(until) } }
}

const rangeOf = ({ window }: BatchBranch, hour: EpochMs): TimeRange => {
  if (window === null) return { from: hour, until: epochMs(hour + HOUR_MS) }
  const { sizeMs, offsetMs } = window
  const firstStart = Math.ceil((hour - offsetMs) / sizeMs) * sizeMs + offsetMs
  const lastStart = Math.ceil((hour + HOUR_MS - offsetMs) / sizeMs - 1) * sizeMs + offsetMs
  // no window starts in this hour: none of its rows count
  if (lastStart < firstStart) return { from: hour, until: hour }
  return { from: epochMs(firstStart), until: epochMs(lastStart + sizeMs) }
}

/** Whether some stage writes the coordinates of its rows, so that keys and headers must be read. */
export const landsAgain = ({ plan }: BatchPlan): boolean =>
  plan.branches.some(branch => branch.stages.some(stage => stage.kind === 'land'))
