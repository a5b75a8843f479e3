import type { TableLimits } from '../executor/branch-run.ts'
import type { KafkaReaderSettings } from './sources.ts'

/** What a worker thread is started with: plain data, from which it makes the same parts as the driver's thread would. */
export interface WorkerData {
  /** The bundled pipeline. */
  readonly artifactUrl: string
  readonly maxFutureMs: number
  readonly table: TableLimits
  readonly kafka: KafkaReaderSettings
}
