import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'

/** Encoded messages that wait in the store. */
export interface OutboxObject {
  readonly key: string
  readonly size: number
  /** CRC-32C, eight hexadecimal digits. */
  readonly crc32c: string
  /** Messages in it. */
  readonly rows: number
}

/** What a commit lists of a batch's messages. */
export interface OutboxReceipt {
  readonly batchId: number
  /** Of the driver that put them down: it makes their ids differ from those of an older checkpoint's batches. */
  readonly epoch: number
  readonly objects: readonly OutboxObject[]
}

/** The receipt as plain data. */
export const outboxReceipt = ({ batchId, epoch, objects }: OutboxReceipt): JsonValue => ({
  batchId,
  epoch,
  objects: objects.map(({ key, size, crc32c, rows }) => ({ key, size, crc32c, rows })),
})

/** Reads a receipt back from a commit. @throws CHECKPOINT_DAMAGED where it is not one */
export const readOutboxReceipt = (receipt: JsonValue, sink: string): OutboxReceipt => {
  const { batchId, epoch, objects } = (receipt ?? {}) as Partial<OutboxReceipt>
  if (isCount(batchId) && isCount(epoch) && Array.isArray(objects) && objects.every(isOutboxObject)) {
    return { batchId, epoch, objects }
  }
  throw new MillraceError('CHECKPOINT_DAMAGED', `the receipt of ${sink} in a commit can't be read`, {
    remedy: 'Restore the checkpoint folder from a backup, or start anew with --new-checkpoint.',
    details: { sink },
  })
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isOutboxObject = (value: unknown): value is OutboxObject => {
  const { key, size, crc32c, rows } = (value ?? {}) as Partial<OutboxObject>
  return typeof key === 'string' && isCount(size) && typeof crc32c === 'string' && isCount(rows)
}
