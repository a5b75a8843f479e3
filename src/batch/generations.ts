import { present } from '../base/assert.ts'
import { mapBounded } from '../base/map-bounded.ts'
import type { EpochMs } from '../base/units.ts'
import { patiently } from '../checkpoint/patience.ts'
import type { PartitionBy } from '../pipeline/plan.ts'
import type { EncodedFile } from '../sinks/sink.ts'
import { batchLayout, generationOf, hourFolder } from './batch-layout.ts'
import type { BatchParts } from './batch-parts.ts'
import type { ComputedHour } from './compute-hour.ts'
import { getGuarded, replaceGuarded } from './guarded-object.ts'
import type { PublishedFile, PublishedTable } from './hour-record.ts'

/** Objects that are written or removed at once. */
const PARALLEL = 8

/** Writes the files of a generation, where nobody looks before a record points to them. */
export const writeGeneration = (
  parts: BatchParts,
  hour: EpochMs,
  generation: number,
  { tables }: ComputedHour,
): Promise<readonly PublishedTable[]> =>
  mapBounded(tables, 1, async ({ table, files }) => {
    const folder = batchLayout(parts.batch.plan.name).generation(table, hour, generation)
    const written = await mapBounded(files, PARALLEL, (file, at) => writeFile(parts, folder, hour, file, at))
    return { table, rows: files.reduce((rows, file) => rows + file.rows, 0), files: written }
  })

const writeFile = async (
  { store, clock, random }: BatchParts,
  folder: string,
  hour: EpochMs,
  { partition, bytes, rows }: EncodedFile,
  at: number,
): Promise<PublishedFile> => {
  const within = partition === hourFolder(hour) ? '' : partition
  const name = `part-${String(at).padStart(5, '0')}-${random.nonce().slice(0, 8)}.parquet`
  const key = `${folder}${within === '' ? '' : `${within}/`}${name}`
  // 'exists' can only be an earlier write of ours whose answer was lost: nobody else draws this name
  await patiently(clock, () => store.createOnly(key, bytes))
  return { key, partition: within, size: bytes.length, rows }
}

/**
 * Puts a plain copy of an hour into the folder that others list, one object replaced under its version: for tables that
 * are partitioned by hour, where the hour fits into one file. An hour that no longer does becomes an empty file.
 */
export const publishCopies = async (
  parts: BatchParts,
  hour: EpochMs,
  tables: readonly PublishedTable[],
): Promise<void> => {
  for (const { table, files } of tables) {
    if (sinkOf(parts, table).partitionBy.kind !== 'hour') continue
    const [only] = files
    const one = files.length === 1 && only?.partition === '' ? only : null
    await replaceCopy(parts, batchLayout(parts.batch.plan.name).listed(table, hour), table, one)
  }
}

const replaceCopy = async (
  parts: BatchParts,
  key: string,
  table: string,
  file: PublishedFile | null,
): Promise<void> => {
  const { store, clock, emptyFile } = parts
  const before = await getGuarded(parts, key)
  if (before === null && file === null) return
  const bytes =
    file === null
      ? emptyFile(sinkOf(parts, table).schema)
      : present(await patiently(clock, () => store.get(file.key)), `the file ${file.key} that was just written`)
  // a conflict is a run that came after us, whose copy is the newer one
  await replaceGuarded(parts, key, bytes, before?.version ?? null)
}

const sinkOf = ({ batch }: BatchParts, table: string) => {
  const found = batch.plan.branches.flatMap(({ sinks, output }) =>
    sinks.flatMap((sink): readonly { readonly partitionBy: PartitionBy; readonly schema: typeof output }[] =>
      sink.kind === 'parquet' && sink.table === table ? [{ partitionBy: sink.partitionBy, schema: output }] : [],
    ),
  )
  return present(found[0], `table ${table}`)
}

/** Removes the files of generations that are neither `kept` nor newer: readers that follow may still hold the last but one. */
export const removeOldGenerations = async (
  parts: BatchParts,
  hour: EpochMs,
  kept: readonly number[],
  newest: number,
): Promise<void> => {
  for (const { table } of parts.batch.plan.branches.flatMap(tablesOf)) {
    const stale: string[] = []
    for await (const { key } of parts.store.list(batchLayout(parts.batch.plan.name).generations(table, hour))) {
      const generation = generationOf(key)
      if (generation !== null && generation < newest && !kept.includes(generation)) stale.push(key)
    }
    await mapBounded(stale, PARALLEL, key => patiently(parts.clock, () => parts.store.remove(key)))
  }
}

const tablesOf = ({ sinks }: BatchParts['batch']['plan']['branches'][number]) =>
  sinks.flatMap(sink => (sink.kind === 'parquet' ? [{ table: sink.table }] : []))
