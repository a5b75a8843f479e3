import { assertNever } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Kernels } from '../columnar/kernels.ts'
import { datagenPlanner, datagenReader } from '../ingest/datagen/datagen-source.ts'
import { kafkaSourcePlanner } from '../ingest/kafka/planner.ts'
import { kafkaSourceReader } from '../ingest/kafka/reader.ts'
import type { SourcePlanner, SourceReader } from '../ingest/source.ts'
import type { SourceNode } from '../pipeline/plan.ts'
import { systemClock, systemRandom } from './system.ts'

/** What connections to Kafka are made with; plain data. */
export interface KafkaSettings {
  /** Used by sources that name no brokers themselves. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly fetchMaxBytes: number
  /** Bytes that one reader may hold that nobody has asked for yet. */
  readonly prefetchBytes: number
  readonly maxDecompressedBytes: number
}

export interface PlannerSurroundings {
  readonly pipeline: string
  readonly clock: Clock
  readonly random: Random
  readonly kafka: KafkaSettings
  readonly onWarning: (message: string) => void
}

/** The driver's side of a source. */
export const makePlanner = (source: SourceNode, around: PlannerSurroundings): SourcePlanner => {
  switch (source.kind) {
    case 'datagen':
      return datagenPlanner(source, around.clock)
    case 'kafka':
      return kafkaSourcePlanner({
        ...around.kafka,
        node: source,
        brokers: source.brokers ?? around.kafka.brokers,
        pipeline: around.pipeline,
        clock: around.clock,
        random: around.random,
        onWarning: around.onWarning,
      })
    default:
      return assertNever(source)
  }
}

/** A worker's side of a source. */
export const makeReader = (source: SourceNode, kafka: KafkaSettings, kernels: Kernels): SourceReader => {
  switch (source.kind) {
    case 'datagen':
      return datagenReader(source)
    case 'kafka':
      return kafkaSourceReader({
        ...kafka,
        kernels,
        node: source,
        brokers: source.brokers ?? kafka.brokers,
        clock: systemClock,
        random: systemRandom,
      })
    default:
      return assertNever(source)
  }
}
