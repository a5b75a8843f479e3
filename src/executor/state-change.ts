import { MillraceError } from '../base/errors.ts'
import { type EpochMs, epochMs } from '../base/units.ts'
import type { ColumnBatch } from '../columnar/column-batch.ts'
import type { TableSchema } from '../columnar/schema.ts'
import { decodeBatch, encodeBatch } from '../columnar/serialize.ts'

/** One entry of a branch's state log: partial aggregates to merge, then windows that were closed. */
export interface StateChange {
  readonly closed: readonly EpochMs[]
  readonly groups: ColumnBatch
}

const damaged = (message: string, remedy: string): MillraceError =>
  new MillraceError('CHECKPOINT_DAMAGED', message, { remedy })

/** Layout: number of closed windows (float64), the start of each (float64), then the groups as a batch. Little-endian. */
export const encodeStateChange = ({ closed, groups }: StateChange): Uint8Array => {
  const batch = encodeBatch(groups)
  const header = new Float64Array([closed.length, ...closed])
  const bytes = new Uint8Array(header.byteLength + batch.byteLength)
  bytes.set(new Uint8Array(header.buffer), 0)
  bytes.set(batch, header.byteLength)
  return bytes
}

/** @throws CHECKPOINT_DAMAGED where the bytes are none of ours, or hold other columns than the pipeline has */
export const decodeStateChange = (bytes: Uint8Array, expected: TableSchema): StateChange => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.byteLength >= 8 ? view.getFloat64(0, true) : Number.NaN
  if (!Number.isSafeInteger(count) || count < 0 || 8 + 8 * count > bytes.byteLength) {
    throw damaged(
      'a state object is damaged: its header is not readable',
      'Restore it from a backup, or start anew with --new-checkpoint.',
    )
  }
  const closed = Array.from({ length: count }, (_, at) => epochMs(view.getFloat64(8 + 8 * at, true)))
  const groups = decodeBatch(bytes.slice(8 + 8 * count))
  if (columns(groups.schema) !== columns(expected)) {
    throw damaged(
      `a state object holds the columns ${columns(groups.schema)}, the pipeline has ${columns(expected)}`,
      'Go back to the pipeline that wrote it, or start anew with --new-checkpoint.',
    )
  }
  return { closed, groups }
}

const columns = (schema: TableSchema): string => schema.fields.map(({ name, type }) => `${name} ${type}`).join(', ')
