import { GrowingArena } from '../growing-arena.ts'
import { RecordIndex } from '../record-index.ts'
import type { RecordWorkspace } from '../record-workspace.ts'
import { indexRecords } from './index-records.ts'
import { decompressLz4 } from './lz4.ts'

/** A workspace on the heap. */
export const recordWorkspace = (arenaBytes: number): RecordWorkspace => {
  const arena = new GrowingArena(arenaBytes)
  const index = new RecordIndex()
  return {
    arena,
    index,
    lz4: (source, start, end, limit) => decompressLz4(source, start, end, arena, limit),
    snappy: () => null,
    indexRecords: (bytes, start, end, base, wanted) => indexRecords(bytes, start, end, base, wanted, index),
  }
}
