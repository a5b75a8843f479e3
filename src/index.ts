/** The public door of Millrace: everything a pipeline file or a program that embeds Millrace needs. */
export { type ErrorCode, EXIT, MillraceError } from './base/errors.ts'
export type { DriverEvent, QueryProgress } from './microbatch/progress.ts'
export { availableNow, defaultTrigger, processingTime, type Trigger } from './microbatch/triggers.ts'
export { avg, count, max, min, sum } from './pipeline/aggregates.ts'
export { bytes, json, text } from './pipeline/formats.ts'
export { type PipelineOptions, type PipelineStart, pipeline } from './pipeline/pipeline.ts'
export type { PipelinePlan } from './pipeline/plan.ts'
export { type InferRow, type Schema, schema, type TypeText } from './pipeline/schema.ts'
export {
  console,
  foreachBatch,
  type KafkaSinkOptions,
  kafkaSink,
  type ParquetOptions,
  parquet,
  type SinkSpec,
} from './pipeline/sinks.ts'
export { type DatagenOptions, datagen, type KafkaOptions, kafka } from './pipeline/sources.ts'
export type { GroupedStream, Stream, Windowed } from './pipeline/stream.ts'
export { type RedisViewOptions, redisView } from './pipeline/views.ts'
export { tumbling } from './pipeline/windows.ts'
export type { StartOptions } from './wiring/start.ts'
export { start } from './wiring/start-on-demand.ts'
export type { StreamingQuery } from './wiring/streaming-query.ts'
