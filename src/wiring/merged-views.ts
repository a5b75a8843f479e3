import { MillraceError } from '../base/errors.ts'
import type { PublishedFile } from '../batch/hour-record.ts'
import type { ViewLayers, WantedRows } from '../batch/merged-view/view-layers.ts'
import type { ServedView } from '../batch/merged-view/view-query.ts'
import { computedKeys, wantedKey, wantedRow } from '../batch/merged-view/wanted-keys.ts'
import { publishedWithin } from '../batch/published-tables.ts'
import { readFastCopy } from '../checkpoint/redis/redis-fast-copy.ts'
import { rowView } from '../columnar/row-view.ts'
import { loadTableFileReader, type TableFileReader } from '../ingest/objects/table-file.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { findViewKeys, readView, readViewHashes, readViewTexts } from '../sinks/redis/read-view.ts'
import { type ReadRow, readHashRow, readJsonRow } from '../sinks/view/read-row.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { RedisConnection } from '../storage/redis-connection.ts'
import type { Config } from './config/config.ts'
import { checkViews, openConfiguredRedis } from './redis.ts'
import { openStore } from './stores.ts'
import { systemClock } from './system.ts'

/** Bytes of batch files that one request may read. */
const MAX_READ_BYTES = 256 * 1024 * 1024

/** What the layers of merged views are read with. */
export interface LayerSources {
  readonly plan: PipelinePlan
  readonly redis: RedisConnection
  readonly prefix: string
  /** Where batch results lie. */
  readonly store: ObjectStore
}

/** Opens what merged views are read from; `null` for a pipeline without views. @throws INVALID_CONFIG, STORE_FAILED */
export const openViewLayers = async (
  plan: PipelinePlan,
  config: Config,
): Promise<{ readonly layers: ViewLayers; close(): Promise<void> } | null> => {
  if (!plan.branches.some(({ sinks }) => sinks.some(({ kind }) => kind === 'redisView'))) return null
  checkViews(plan, config)
  const store = await openStore(config)
  // a connection of its own: what is asked of views does not hold up what is written to them
  const redis = await openConfiguredRedis(config)
  if (redis === null) return null
  return {
    layers: viewLayers({ plan, redis, prefix: config.redis.keyPrefix, store }),
    close: () => redis.close(),
  }
}

/** The live views in Redis and the batch results in the store, as a merged view reads them. */
export const viewLayers = (sources: LayerSources): ViewLayers => {
  const { plan, redis, prefix, store } = sources
  let reader: Promise<TableFileReader> | null = null
  return {
    liveState: ({ node }) => readView(redis, prefix, node.name),
    liveRows: async (view, hours, wanted) => {
      const keys =
        computedKeys(view, hours, wanted) ??
        (await findViewKeys(redis, prefix, view.node.name, wantedKey(view, hours), wanted.limit))
      const keep = wantedRow(view, hours, wanted)
      return limited((await rowsAt(sources, view, keys)).filter(keep), view, wanted)
    },
    closedHours: async (table, range) => publishedWithin({ store, clock: systemClock }, plan.name, table, range),
    batchRows: async (view, hours, wanted) => {
      const files = hours.flatMap(each => each.files)
      if (files.reduce((bytes, { size }) => bytes + size, 0) > MAX_READ_BYTES) throw tooMuch(view)
      reader ??= loadTableFileReader()
      const read = await reader
      const starts = hours.map(({ hour }) => hour)
      const rows: ReadRow[] = []
      for (const file of files) {
        rows.push(...(await fileRows(read, store, file, view, wantedRow(view, starts, wanted))))
        limited(rows, view, wanted)
      }
      return rows
    },
    newestBatch: async () => (await readFastCopy(redis, prefix, plan.name)).committed?.batchId ?? null,
  }
}

/** Rows that are gone by the time they are read are left out. */
const rowsAt = async (
  { redis, prefix }: LayerSources,
  { node, branch }: ServedView,
  keys: readonly string[],
): Promise<readonly ReadRow[]> => {
  const { fields } = branch.output
  if (node.format === 'json') {
    const texts = await readViewTexts(redis, prefix, node.name, keys)
    return texts.flatMap(text => (text === null ? [] : [readJsonRow(fields, text)]))
  }
  const hashes = await readViewHashes(redis, prefix, node.name, keys)
  return hashes.flatMap(hash => (Object.keys(hash).length === 0 ? [] : [readHashRow(fields, hash)]))
}

/** A file is decoded in columns; only rows that are wanted become objects. */
const fileRows = async (
  read: TableFileReader,
  store: ObjectStore,
  { key, size }: PublishedFile,
  { branch }: ServedView,
  keep: (row: ReadRow) => boolean,
): Promise<readonly ReadRow[]> => {
  const bytes = await store.get(key)
  if (bytes === null || bytes.length !== size)
    throw unreadable(key, store.location, bytes === null ? 'it is gone' : 'its size differs')
  const names = branch.output.fields.map(({ name }) => name)
  const view = rowView(branch.output)
  const rows: ReadRow[] = []
  try {
    for await (const batch of read(bytes, key, branch.output)) {
      view.bind(batch)
      for (let row = 0; row < batch.length; row += 1) {
        view.moveTo(row)
        if (keep(view.row)) rows.push(Object.fromEntries(names.map(name => [name, view.row[name]])))
      }
    }
  } catch (error) {
    throw unreadable(key, store.location, error instanceof Error ? error.message : String(error))
  }
  return rows
}

const limited = (rows: readonly ReadRow[], view: ServedView, { limit }: WantedRows): readonly ReadRow[] => {
  if (rows.length > limit) throw tooMuch(view)
  return rows
}

const tooMuch = ({ node }: ServedView): MillraceError =>
  new MillraceError('INVALID_USAGE', `there is more in the view ${node.name} than one answer may hold`, {
    remedy: 'Ask by key, for less time, or for the top.',
  })

const unreadable = (key: string, location: string, why: string): MillraceError =>
  new MillraceError('STORE_FAILED', `the batch result ${key} in ${location} can't be read: ${why}`, {
    remedy: 'Ask again; if that does not help, compute the hour anew: millrace backfill --reprocess completed.',
    details: { key },
  })
