import { MillraceError } from '../base/errors.ts'
import { landedTable } from './landed.ts'
import type { BranchPlan, PipelinePlan } from './plan.ts'

/** Folder under the root that dead letters go to; no pipeline may write its tables there. */
export const DEAD_LETTERS_FOLDER = 'dead_letters'
/** Folder of the tables that batch jobs write: the table `trending` of a pipeline is `batch/trending` there. */
export const BATCH_FOLDER = 'batch'

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_PIPELINE', message, { remedy })

/**
 * One plan of all branches. @throws INVALID_PIPELINE where there is none, where two branches or views have one name,
 * where one table would lie in the folder of another, or where the landed table does not hold the source's rows
 */
export const mergeBranches = (plans: readonly PipelinePlan[]): PipelinePlan => {
  const [first] = plans
  if (first === undefined) throw invalid('branches() was given no branch', 'Name at least one.')
  const branches = plans.flatMap(plan => plan.branches)
  requireOwnNames(branches)
  requireOwnFolders(branches)
  requireOwnViews(branches)
  const plan: PipelinePlan = Object.freeze({ ...first, branches: Object.freeze(branches) })
  landedTable(plan)
  return plan
}

const requireOwnNames = (branches: readonly BranchPlan[]): void => {
  const seen = new Set<string>()
  for (const { name } of branches) {
    if (seen.has(name)) throw invalid(`two branches are named ${name}`, 'Call branches() once, with a name for each.')
    seen.add(name)
  }
}

const requireOwnFolders = (branches: readonly BranchPlan[]): void => {
  const tables = branches.flatMap(({ sinks }) => sinks.flatMap(sink => (sink.kind === 'parquet' ? [sink.table] : [])))
  const folders = [DEAD_LETTERS_FOLDER, BATCH_FOLDER, ...tables].map(table => `${table}/`)
  for (const [at, folder] of folders.entries()) {
    const clash = folders.find((other, index) => index !== at && folder.startsWith(other))
    if (clash === undefined) continue
    throw invalid(
      `the table ${folder.slice(0, -1)} lies in the folder of ${clash.slice(0, -1)}: a reader of the one would see both`,
      'Give each table a folder of its own, neither the same nor within another.',
    )
  }
}

const requireOwnViews = (branches: readonly BranchPlan[]): void => {
  const names = branches.flatMap(({ sinks }) => sinks.flatMap(sink => (sink.kind === 'redisView' ? [sink.name] : [])))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw invalid(`two views are named ${twice}`, 'Give each view a name of its own.')
}
