import { mapBounded } from '../base/map-bounded.ts'
import type { Random } from '../base/random.ts'
import type { BatchId } from '../base/units.ts'
import type { ObjectStore, StagedObject } from '../storage/object-store.ts'
import type { EncodedFile, Sink, SinkOutput } from './sink.ts'
import { readStagedReceipt, stagedReceipt } from './staged-receipt.ts'

/** Uploads under way at once: enough to hide an object store's latency, few enough to bound memory and sockets. */
const PARALLEL_UPLOADS = 8
const BATCH_DIGITS = 12
const SEQUENCE_DIGITS = 5
const NONCE_DIGITS = 8

/** What a table sink is made with. */
export interface TableSinkOptions {
  readonly store: ObjectStore
  /** Folder of the table, relative to the store. */
  readonly table: string
  readonly random: Random
  readonly description: string
  /** Name of the pipeline. It is part of file names, so that pipelines that share a table clear up only their own. */
  readonly pipeline: string
}

/**
 * An append-only table of finished files. Files are staged before the commit and published after it, so that whoever
 * lists the folder sees every committed row once and no other. Every attempt writes names of its own:
 * `part-<batch>-<sequence>-<nonce>-<pipeline>.parquet`, which sort by batch.
 */
export const tableSink = (options: TableSinkOptions): Sink => {
  const { store, table, description } = options
  const receiptOf = (receipt: Parameters<Sink['publish']>[0]) => readStagedReceipt(receipt, description)
  return {
    description,
    delivery: 'exactlyOnce',
    prepare: async output => stagedReceipt(await stageAll(options, output)),
    publish: async receipt => {
      await mapBounded(receiptOf(receipt), PARALLEL_UPLOADS, staged => store.publish(staged))
    },
    discard: async receipt => {
      await mapBounded(receiptOf(receipt), PARALLEL_UPLOADS, staged => store.discard(staged))
    },
    clearUp: async committed => {
      const name = fileNamePattern(options.pipeline)
      for await (const staged of store.listStaged(`${table}/`)) {
        if (isLeftOver(staged.key.slice(table.length + 1), name, committed)) await store.discard(staged)
      }
    },
  }
}

/** Stages all files or none, as far as the store still answers. */
const stageAll = async (options: TableSinkOptions, output: SinkOutput): Promise<readonly StagedObject[]> => {
  const staged: StagedObject[] = []
  try {
    return await mapBounded(output.files, PARALLEL_UPLOADS, async (file, sequence) => {
      const object = await options.store.stage(keyOf(options, output.batchId, file, sequence), file.bytes)
      staged.push(object)
      return object
    })
  } catch (error) {
    await mapBounded(staged, PARALLEL_UPLOADS, object => options.store.discard(object)).catch(() => {
      // What can't be dropped now is dropped by clearUp after the next commit; the first error is the one to tell.
    })
    throw error
  }
}

const keyOf = (options: TableSinkOptions, batch: BatchId, file: EncodedFile, sequence: number): string => {
  const { table, random, pipeline } = options
  const nonce = random.nonce().slice(0, NONCE_DIGITS)
  const name = `part-${digits(batch, BATCH_DIGITS)}-${digits(sequence, SEQUENCE_DIGITS)}-${nonce}-${pipeline}.parquet`
  return [table, file.partition, name].filter(part => part !== '').join('/')
}

const digits = (value: number, count: number): string => String(value).padStart(count, '0')

/** Names that `keyOf` gives for this pipeline. */
const fileNamePattern = (pipeline: string): RegExp =>
  new RegExp(
    `^part-(\\d{${BATCH_DIGITS},})-\\d{${SEQUENCE_DIGITS},}-[0-9a-f]{${NONCE_DIGITS}}-${escaped(pipeline)}\\.parquet$`,
  )

const escaped = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '\\$&')

/** Whether a key within the table is of this table (not of one in a sub-folder) and of a batch that is committed. */
const isLeftOver = (key: string, name: RegExp, committed: BatchId): boolean => {
  const parts = key.split('/')
  const batch = name.exec(parts.pop() ?? '')?.[1]
  return batch !== undefined && parts.every(part => part.includes('=')) && Number(batch) <= committed
}
