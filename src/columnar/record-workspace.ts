import type { DecompressOutcome, GrowingArena } from './growing-arena.ts'
import type { RecordBase, RecordIndex, Wanted } from './record-index.ts'

/**
 * Memory that the records of one reader are decompressed into and indexed in, used again for each batch, and the loops
 * that work on it. Nothing here throws for bad input, reads beyond what it is given, or writes beyond a limit.
 */
export interface RecordWorkspace {
  readonly arena: GrowingArena
  readonly index: RecordIndex
  /** Appends the contents of LZ4 frames in `source[start, end)` to the arena, at most `limit` bytes. */
  lz4(source: Uint8Array, start: number, end: number, limit: number): DecompressOutcome
  /**
   * Appends the contents of one snappy block, whose elements are in `source[start, end)` and which says that it holds
   * `length` bytes. Answers `null` where a library has to do it.
   */
  snappy(source: Uint8Array, start: number, end: number, length: number): DecompressOutcome | null
  /**
   * Adds the wanted records of a Kafka record batch (magic 2, decompressed) in `bytes[start, end)` to the index. Answers
   * false, with nothing added, where the bytes are not such records.
   */
  indexRecords(bytes: Uint8Array, start: number, end: number, base: RecordBase, wanted: Wanted): boolean
}
