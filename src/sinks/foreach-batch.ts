import { MillraceError } from '../base/errors.ts'
import { materialize } from '../columnar/row-view.ts'
import type { ForeachBatchFunction } from '../pipeline/plan.ts'
import type { Sink } from './sink.ts'

/** What a foreachBatch sink is made with. */
export interface ForeachBatchSinkOptions {
  readonly deliver: ForeachBatchFunction
  readonly pipeline: string
}

/**
 * The user's own sink: hands each batch's rows to a function before the commit and waits for it, so that a batch counts
 * only once it was delivered. A batch that a crash left without a commit is delivered again under the same id.
 * Batches without rows are not delivered.
 */
export const foreachBatchSink = ({ deliver, pipeline }: ForeachBatchSinkOptions): Sink => ({
  description: 'foreachBatch',
  delivery: 'atLeastOnce',
  prepare: async ({ batchId, rows }) => {
    const delivered = rows.flatMap(batch => materialize(batch))
    if (delivered.length === 0) return null
    try {
      await deliver(delivered, { batchId, pipeline })
    } catch (cause) {
      throw deliveryFailed(batchId, pipeline, cause)
    }
    return null
  },
  publish: async () => {},
  discard: async () => {},
  clearUp: async () => {},
})

const deliveryFailed = (batchId: number, pipeline: string, cause: unknown): MillraceError => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('STAGE_FAILED', `foreachBatch failed for batch ${batchId} of ${pipeline}: ${reason}`, {
    remedy: 'Correct the function, or let it retry what may fail; the batch was not committed and will come again.',
    cause,
    details: { batchId, pipeline },
  })
}
