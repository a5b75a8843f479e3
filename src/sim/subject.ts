import type { Kernels } from '../columnar/kernels.ts'
import type { SourceReader } from '../ingest/source.ts'
import type { DriverParts } from '../microbatch/driver-parts.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ViewStore } from '../sinks/view/view-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { RowMaker } from './sample-rows.ts'

/** What is simulated. */
export interface Subject {
  /** The pipeline; further ones stand for changed code, which a restart may find. All have one shape. */
  readonly versions: readonly PipelinePlan[]
  readonly kernels: Kernels
  /** Makes the rows of the topic; `null` makes them from the schema. */
  readonly makeRow: RowMaker | null
  /** A mistake to plant; `null` runs the product as it is. */
  readonly mistake: Mistake | null
}

/** Parts of a driver that do something wrong: what the simulator must find. Called once for each process. */
export interface Mistake {
  readonly store?: (store: ObjectStore) => ObjectStore
  readonly views?: (views: ViewStore) => ViewStore
  readonly reader?: (reader: SourceReader) => SourceReader
  readonly parts?: (parts: DriverParts) => DriverParts
}
