import type { TimeRange } from '../base/hours.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'

/** An object as a listing names it. */
export interface SplitObject {
  readonly key: string
  readonly size: number
}

/** Pieces of a landed table that one batch task reads; plain data. */
export interface ObjectSplit {
  readonly kind: 'objects'
  readonly objects: readonly SplitObject[]
  /** Row groups whose statistics show that no row lies within may be left out; `null`: all are read. */
  readonly within: (TimeRange & { readonly column: string }) | null
}

/**
 * A worker's side of a landed table: gives its rows as the source's columns, never as objects, with where each was
 * read from the source. One for each worker.
 */
export interface ObjectSplitReader {
  /**
   * All rows of the split's objects in their order, each batch of one partition.
   * @throws LANDED_FILE_MISSING, LANDED_FILE_DAMAGED (both name the object), STORE_FAILED
   */
  read(split: ObjectSplit, signal: AbortSignal): AsyncIterable<ColumnBatch>
  /** Bytes read since the reader was made. */
  readonly bytesRead: number
}
