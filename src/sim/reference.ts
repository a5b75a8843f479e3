import { durationMs } from '../base/units.ts'
import type { PlanEntry } from '../checkpoint/entries.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import type { Kernels } from '../columnar/kernels.ts'
import { type AggregationState, statesOf } from '../executor/aggregation-state.ts'
import { taskRunner } from '../executor/task-runner.ts'
import type { SourceReader } from '../ingest/source.ts'
import { bindSinks } from '../microbatch/bind-sinks.ts'
import type { DriverSettings } from '../microbatch/driver-parts.ts'
import { computeOutputs } from '../microbatch/outputs.ts'
import { tasksOf } from '../microbatch/tasks.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { SinkOutput } from '../sinks/sink.ts'
import { lineEncoder, linesIn, linesOf } from './line-encoder.ts'
import { recordBatch } from './record-batches.ts'
import { silentSinks } from './silent-sinks.ts'
import type { Topic } from './topic.ts'

/**
 * The answer: what the batches that were planned give when they are computed one after the other from the topic itself, with
 * no crash, no restart, no store and no checkpoint between them.
 */
export class Reference {
  readonly states: readonly (AggregationState | null)[]
  readonly #versions: readonly PipelinePlan[]
  readonly #topic: Topic
  readonly #kernels: Kernels
  readonly #settings: Pick<DriverSettings, 'maxBadRows' | 'maxFileBytes' | 'maxOpenPartitions'>

  constructor(
    versions: readonly [PipelinePlan, ...PipelinePlan[]],
    topic: Topic,
    kernels: Kernels,
    settings: Pick<DriverSettings, 'maxBadRows' | 'maxFileBytes' | 'maxOpenPartitions'>,
  ) {
    this.#versions = versions
    this.#topic = topic
    this.#kernels = kernels
    this.#settings = settings
    this.states = statesOf(kernels, versions[0].branches)
  }

  /** Rows of the next batch for each sink, as lines. Batches must be given in their order, each once. */
  async compute(version: number, plan: PlanEntry): Promise<readonly SinkLines[]> {
    const pipeline = this.#versions[version] as PipelinePlan
    const runner = taskRunner({
      plan: pipeline,
      reader: this.#reader(),
      kernels: this.#kernels,
      encoderFactory: lineEncoder,
    })
    const results = []
    const tasks = tasksOf(plan)
    for (const task of tasks) results.push(await runner.run(task, new AbortController().signal))
    const sinks = bindSinks(pipeline, silentSinks)
    const parts = { plan: pipeline, sinks, encoder: lineEncoder, settings: this.#settings }
    const { outputs } = computeOutputs(parts, this.states, plan, tasks, results)
    // what goes to the state log is of no interest here, and must not pile up
    for (const state of this.states) state?.takeChange()
    return sinks.map(({ name }, at) => {
      const output = outputs[at] as SinkOutput
      return { sink: name, lines: linesOfOutput(output), rows: output.rows }
    })
  }

  #reader(): SourceReader {
    const topic = this.#topic
    return {
      bytesRead: 0,
      async *read({ partition, from, until }) {
        const records = topic.recordsIn(partition, from, until)
        if (records.length > 0) yield recordBatch(topic.name, partition, records)
      },
      prefetch: () => undefined,
      close: () => Promise.resolve(),
    }
  }
}

/** What one batch gives to one sink. */
export interface SinkLines {
  readonly sink: string
  readonly lines: readonly string[]
  /** The same as rows, of sinks that take no files. */
  readonly rows: readonly ColumnBatch[]
}

/** The rows of an output, whatever form they have. */
export const linesOfOutput = ({ files, rows }: Pick<SinkOutput, 'files' | 'rows'>): readonly string[] => [
  ...files.flatMap(file => linesIn(file.bytes)),
  ...rows.flatMap(batch => linesOf(batch)),
]

/** Settings that the reference and the drivers share. */
export const SHARED_SETTINGS = {
  maxBadRows: 1,
  maxFileBytes: 1 << 20,
  maxOpenPartitions: 8,
  targetIntervalMs: durationMs(1000),
} as const
