import { crc32cHex } from '../base/crc32c.ts'
import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'
import { mapBounded } from '../base/map-bounded.ts'
import type { Random } from '../base/random.ts'
import { utf8Bytes } from '../base/text.ts'
import type { BatchId } from '../base/units.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { encodeMessages, type MessageColumns, MessageReader } from './message-encoder.ts'
import type { MessagePublisher } from './message-publisher.ts'
import { type OutboxObject, outboxReceipt, readOutboxReceipt } from './outbox-receipt.ts'
import type { Sink, SinkOutput } from './sink.ts'

/** What an outbox sink is made with. */
export interface OutboxSinkOptions {
  readonly store: ObjectStore
  readonly random: Random
  readonly publisher: MessagePublisher
  readonly columns: MessageColumns
  readonly pipeline: string
  /** Of the sink within the pipeline, the same in every run. */
  readonly name: string
}

/** Messages that lie in memory at once, when they are put down and when they are sent. */
const PIECE_BYTES = 8 * 1024 * 1024
const PARALLEL_REMOVALS = 8

/**
 * A sink for systems that can't take a message back: the batch's messages are put into an outbox in the object store before
 * the commit, and are sent from there after it. So no message of an uncommitted batch is ever sent, a crash loses none,
 * and one that is sent again has the same bytes and the same id, whatever has become of the code meanwhile. An object
 * of the outbox that is gone was sent.
 */
export const outboxSink = (options: OutboxSinkOptions): Sink => {
  const { store, publisher, pipeline, name } = options
  const folder = `_outbox/${pipeline}/${folderOf(name)}/`
  const receiptOf = (receipt: JsonValue) => readOutboxReceipt(receipt, publisher.description)
  return {
    description: publisher.description,
    delivery: 'atLeastOnce',
    prepare: async output => {
      const { batchId, epoch } = output
      return outboxReceipt({ batchId, epoch, objects: await putAll(options, folder, output) })
    },
    publish: async receipt => {
      const { batchId, epoch, objects } = receiptOf(receipt)
      const idPrefix = `${pipeline}/${name}/${epoch}/${batchId}`
      let firstIndex = 0
      for (const object of objects) {
        const bytes = await store.get(object.key)
        if (bytes !== null) {
          requireWhole(bytes, object)
          await publisher.send({ messages: new MessageReader(bytes), firstIndex, idPrefix, batchId })
          await store.remove(object.key)
        }
        firstIndex += object.rows
      }
    },
    discard: async receipt => removeAll(store, receiptOf(receipt).objects),
    clearUp: async committed => {
      for await (const { key } of store.list(folder)) {
        if (batchOf(key) <= committed) await store.remove(key)
      }
    },
    close: () => publisher.close(),
  }
}

/** Puts all messages into the outbox or none, as far as the store still answers. */
const putAll = async (
  { store, random, publisher, columns }: OutboxSinkOptions,
  folder: string,
  { batchId, rows }: SinkOutput,
): Promise<readonly OutboxObject[]> => {
  const objects: OutboxObject[] = []
  const { maxMessageBytes } = await publisher.check()
  try {
    for (const piece of encodeMessages(rows, { ...columns, maxMessageBytes, pieceBytes: PIECE_BYTES })) {
      const key = `${folder}${keyOf(batchId, objects.length, random)}`
      const { length: size } = piece.bytes
      objects.push({ key, size, crc32c: crc32cHex(piece.bytes), rows: piece.rows })
      // nobody else draws this name: one that exists is our own, of a call whose answer was lost
      await store.createOnly(key, piece.bytes)
    }
    return objects
  } catch (error) {
    await removeAll(store, objects).catch(() => {
      // What can't be removed now is removed by clearUp after the next commit; the first error is the one to tell.
    })
    throw error
  }
}

const removeAll = async (store: ObjectStore, objects: readonly OutboxObject[]): Promise<void> => {
  await mapBounded(objects, PARALLEL_REMOVALS, ({ key }) => store.remove(key))
}

/** Names may be longer than a store's folders, and two of them may differ in their slashes only. */
const folderOf = (name: string): string => `${name.replaceAll('/', '-').slice(0, 120)}-${crc32cHex(utf8Bytes(name))}`

const BATCH_DIGITS = 12

const keyOf = (batch: BatchId, sequence: number, random: Random): string =>
  `${String(batch).padStart(BATCH_DIGITS, '0')}-${String(sequence).padStart(5, '0')}-${random.nonce().slice(0, 16)}`

/** The batch in a name that `keyOf` gave; no batch at all for other names. */
const batchOf = (key: string): number => Number(/\/(\d{12,})-\d+-[0-9a-f]+$/.exec(key)?.[1] ?? Number.POSITIVE_INFINITY)

const requireWhole = (bytes: Uint8Array, { key, size, crc32c }: OutboxObject): void => {
  if (bytes.length === size && crc32cHex(bytes) === crc32c) return
  throw new MillraceError('CHECKPOINT_DAMAGED', `${key} does not hold the messages that its commit lists`, {
    remedy: 'Restore it from a backup; or remove it to go on without these messages.',
    details: { key },
  })
}
