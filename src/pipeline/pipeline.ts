import { MillraceError } from '../base/errors.ts'
import { checkOptions, oneOf } from './check-options.ts'
import type { Format } from './formats.ts'
import type { OnStageError, SourceNode } from './plan.ts'
import type { Columns } from './schema.ts'
import { Stream } from './stream.ts'

export interface PipelineOptions {
  /** What becomes of a row whose lambda throws: stop the pipeline (default), or put it into the dead-letter table. */
  readonly onStageError?: OnStageError
}

/** The start of a pipeline: it has a name and waits for its source. */
export interface PipelineStart {
  /** Reads `source` and decodes its records with `format`. */
  from<C extends Columns>(source: SourceNode, format: Format<C>): Stream<C>
}

/**
 * Begins a pipeline. Its name also names its checkpoint: a pipeline under another name starts anew.
 * @throws INVALID_PIPELINE where the name can't be a folder's name or an option does not exist
 */
export const pipeline = (name: string, options: PipelineOptions = {}): PipelineStart => {
  checkOptions('pipeline()', options, { onStageError: true })
  const onStageError = oneOf(options.onStageError ?? 'fail', ['fail', 'deadLetter'], 'onStageError')
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)) {
    throw new MillraceError('INVALID_PIPELINE', `${JSON.stringify(name)} is not a name for a pipeline`, {
      remedy: 'Use up to 100 letters, digits, underscores and hyphens.',
    })
  }
  return {
    from: (source, format) =>
      new Stream({
        pipeline: name,
        branch: 'main',
        source,
        format: format.node,
        onStageError,
        stages: [],
        aggregation: null,
        resultStages: [],
        outputMode: null,
        current: format.node.schema,
      }),
  }
}
