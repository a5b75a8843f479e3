import { inject } from 'vitest'
import { durationMs } from '../../../src/base/units.ts'
import { kafkaSourcePlanner } from '../../../src/ingest/kafka/planner.ts'
import { kafkaSourceReader } from '../../../src/ingest/kafka/reader.ts'
import type { SourcePlanner, SourceReader } from '../../../src/ingest/source.ts'
import { type KafkaOptions, kafka } from '../../../src/pipeline/sources.ts'
import { systemClock, systemRandom } from '../../../src/wiring/system.ts'
import { testedWasmKernels } from '../../support/wasm-kernels.ts'
import { uniqueName } from './topics.ts'

const surroundings = (options: KafkaOptions) => ({
  node: kafka(options),
  brokers: [inject('kafkaBrokers')],
  clientId: 'tests',
  requestTimeoutMs: durationMs(10_000),
  clock: systemClock,
  random: systemRandom,
})

/** The driver's side of a topic of the test run's broker. */
export const openKafkaPlanner = (options: KafkaOptions, pipeline = uniqueName('group')): SourcePlanner =>
  kafkaSourcePlanner({ ...surroundings(options), pipeline, onWarning: () => undefined })

/** A worker's side of it. */
export const openKafkaReader = (options: KafkaOptions, fetchMaxBytes = 8_388_608): SourceReader =>
  kafkaSourceReader({
    ...surroundings(options),
    fetchMaxBytes,
    prefetchBytes: 16_777_216,
    maxDecompressedBytes: 67_108_864,
    kernels: testedWasmKernels(),
  })
