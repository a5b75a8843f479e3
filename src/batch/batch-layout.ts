import { formatHour } from '../base/hours.ts'
import type { EpochMs } from '../base/units.ts'
import { BATCH_FOLDER } from '../pipeline/merge-branches.ts'

/** Folder of what batch jobs know of themselves; no table lies there. */
export const BATCH_LOG_FOLDER = '_batch'
/** Folder of the files that hour records point to. */
export const GENERATIONS_FOLDER = '_generations'

/**
 * Where the batch results of a pipeline lie in its store:
 *
 *     _batch/<pipeline>/claims.json                                   who works on which hours
 *     _batch/<pipeline>/hours/2026-01-15T10.json                      which generation of an hour counts
 *     _batch/<pipeline>/plans/2026-01-15T10/gen-000003.json           what a generation was computed from
 *     _generations/<table>/2026-01-15T10/<pipeline>/gen-000003/…      its files, seen by those who follow the record
 *     batch/<table>/date=2026-01-15/hour=10/<pipeline>.parquet        a plain copy, for those who list
 */
export const batchLayout = (pipeline: string) => ({
  claims: `${BATCH_LOG_FOLDER}/${pipeline}/claims.json`,
  hours: `${BATCH_LOG_FOLDER}/${pipeline}/hours/`,
  hour: (hour: EpochMs) => `${BATCH_LOG_FOLDER}/${pipeline}/hours/${formatHour(hour)}.json`,
  plan: (hour: EpochMs, generation: number) =>
    `${BATCH_LOG_FOLDER}/${pipeline}/plans/${formatHour(hour)}/${generationName(generation)}.json`,
  /** All generations of an hour. */
  generations: (table: string, hour: EpochMs) => `${GENERATIONS_FOLDER}/${table}/${formatHour(hour)}/${pipeline}/`,
  generation: (table: string, hour: EpochMs, generation: number) =>
    `${GENERATIONS_FOLDER}/${table}/${formatHour(hour)}/${pipeline}/${generationName(generation)}/`,
  listed: (table: string, hour: EpochMs) => `${BATCH_FOLDER}/${table}/${hourFolder(hour)}/${pipeline}.parquet`,
})

/** No `=` in it, or readers of Hive folders would take it for a column. */
const generationName = (generation: number): string => `gen-${String(generation).padStart(6, '0')}`

/** The number of the generation that a file belongs to, or `null`. */
export const generationOf = (key: string): number | null => {
  const found = /\/gen-(\d{6,})\//.exec(key)?.[1]
  return found === undefined ? null : Number(found)
}

/** Folder of an hour in tables that are partitioned by hour: `date=2026-01-15/hour=10`. */
export const hourFolder = (hour: EpochMs): string => {
  const text = formatHour(hour)
  return `date=${text.slice(0, 10)}/hour=${text.slice(11)}`
}
