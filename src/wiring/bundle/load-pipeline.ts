import process from 'node:process'
import { MillraceError } from '../../base/errors.ts'
import type { PipelinePlan } from '../../pipeline/plan.ts'
import { asEvaluationError } from './not-loadable.ts'

/**
 * Loads the plan that a bundled pipeline file exports. Switches source maps on, so that stack traces of lambdas
 * name the user's own file and line.
 * @throws PIPELINE_NOT_LOADABLE where the module fails or exports something else; INVALID_PIPELINE, INVALID_SCHEMA as the
 *   pipeline's own code throws them
 */
export const loadPipeline = async (artifact: URL): Promise<PipelinePlan> => {
  process.setSourceMapsEnabled(true)
  const module: unknown = await importModule(artifact)
  const exported = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (isPipelinePlan(exported)) return exported
  throw new MillraceError('PIPELINE_NOT_LOADABLE', `the default export is not a pipeline: ${describe(exported)}`, {
    remedy: "Export what .to(…) returns: `export default pipeline('name').from(…)…to(…)`.",
    details: { file: artifact.href },
  })
}

const importModule = async (artifact: URL): Promise<unknown> => {
  try {
    return await import(artifact.href)
  } catch (error) {
    throw asEvaluationError(artifact, error)
  }
}

const isPipelinePlan = (value: unknown): value is PipelinePlan =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'pipeline' && 'branches' in value

const describe = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return `it is ${value === undefined ? 'undefined' : typeof value}`
  if ('then' in value) return 'it is a Promise'
  return `it is an object (${value.constructor?.name ?? 'no class'}); is .to(…) missing?`
}
