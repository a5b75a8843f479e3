import type { PipelinePlan } from '../pipeline/plan.ts'
import type { StartOptions } from './start.ts'
import type { StreamingQuery } from './streaming-query.ts'

/**
 * Runs a pipeline until it is stopped or fails: from its file (path or `file:` URL; bundled, on worker threads), or as a
 * plan that this program has built (in its own thread). The engine is loaded by the first call: pipeline files import this
 * package for its words alone, in every worker thread.
 *
 * @throws PIPELINE_NOT_LOADABLE, INVALID_PIPELINE, INVALID_CONFIG, and what opening the checkpoint throws. What happens later is
 *   in the handle: `awaitTermination`, `exception`.
 */
export const start = async (
  pipeline: PipelinePlan | string | URL,
  options: StartOptions = {},
): Promise<StreamingQuery> => {
  const engine = await import('./start.ts')
  return engine.start(pipeline, options)
}
