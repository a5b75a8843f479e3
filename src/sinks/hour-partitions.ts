import { assert } from '../base/assert.ts'
import { MillraceError } from '../base/errors.ts'
import { isValid } from '../columnar/column.ts'
import type { TableSchema } from '../columnar/schema.ts'
import { folderColumn, NULL_PARTITION, type RowGrouping } from './row-grouping.ts'
import { type RowSet, rowSetSize, selectedRows } from './row-set.ts'

const HOUR_MS = 3_600_000
const TWO_POW_32 = 0x1_0000_0000
/** Years 0001 to 9999 are what `date=YYYY-MM-DD` can say. */
const FIRST_HOUR = Date.parse('0001-01-01T00:00:00Z') / HOUR_MS
const LAST_HOUR = Date.parse('9999-12-31T23:00:00Z') / HOUR_MS
/** Rows without a time, and rows of times that have no four-digit year: their timestamp stays exact in the file. */
const NO_HOUR = Number.MIN_SAFE_INTEGER
const NO_HOUR_PARTITION = `date=${NULL_PARTITION}/hour=${NULL_PARTITION}`

/**
 * Groups rows into `date=YYYY-MM-DD/hour=HH` (UTC) by a timestamp column. Times are read as pairs of 32-bit words and
 * compared with the bounds of the last row's hour, so that rows of the same hour cost neither a division nor an object.
 * @throws INVALID_SCHEMA where there is no such timestamp, or a column of the file has the name of a folder
 */
export const hourGrouping = (schema: TableSchema, name: string): RowGrouping => {
  const at = folderColumn(schema, name)
  if (schema.fields[at]?.type !== 'timestamp') {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `the table is partitioned by the hour of ${name}, which is no timestamp`,
      {
        remedy: 'Partition by the hour of a timestamp column.',
        details: { column: name },
      },
    )
  }
  refuseFolderNames(schema)
  return (batch, groups) => {
    const rows = selectedRows(batch.selection, batch.length)
    const column = batch.columns[at]
    assert(column?.kind === 'timestamp', `column ${name} is a timestamp`)
    const hours = new HourNumbers()
    const { validity, values } = column
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
    const count = rowSetSize(rows)
    for (let i = 0; i < count; i++) {
      const row = rowAt(rows, i)
      if (validity !== null && !isValid(column, row)) groups[i] = hours.numberOf(NO_HOUR)
      else {
        const low = words[2 * row] as number
        groups[i] = hours.numberAt((words[2 * row + 1] as number) * TWO_POW_32 + (low >>> 0))
      }
    }
    return hours.partitions
  }
}

const rowAt = (rows: RowSet, i: number): number => (rows.kind === 'range' ? rows.from + i : (rows.rows[i] as number))

/** Numbers hours in the order in which they come; remembers the last one with its bounds. */
class HourNumbers {
  readonly partitions: string[] = []
  private readonly numbers = new Map<number, number>()
  private current = 0
  private fromMs = Number.POSITIVE_INFINITY
  private untilMs = Number.NEGATIVE_INFINITY

  numberAt(timeMs: number): number {
    if (timeMs >= this.fromMs && timeMs < this.untilMs) return this.current
    const hour = Math.floor(timeMs / HOUR_MS)
    this.fromMs = hour * HOUR_MS
    this.untilMs = this.fromMs + HOUR_MS
    this.current = this.numberOf(hour >= FIRST_HOUR && hour <= LAST_HOUR ? hour : NO_HOUR)
    return this.current
  }

  numberOf(hour: number): number {
    const known = this.numbers.get(hour)
    if (known !== undefined) return known
    const number = this.partitions.length
    this.numbers.set(hour, number)
    this.partitions.push(hourPartition(hour))
    return number
  }
}

const hourPartition = (hour: number): string => {
  if (hour === NO_HOUR) return NO_HOUR_PARTITION
  const iso = new Date(hour * HOUR_MS).toISOString()
  return `date=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}`
}

/** Readers of Hive folders show the folder's value in place of a column of the same name, whatever its case. */
const refuseFolderNames = (schema: TableSchema): void => {
  const clash = schema.fields.find(({ name }) => ['date', 'hour'].includes(name.toLowerCase()))
  if (clash === undefined) return
  throw new MillraceError(
    'INVALID_SCHEMA',
    `the column ${clash.name} has the name of a folder (date=…/hour=…), whose value readers would show instead`,
    { remedy: `Rename ${clash.name}, or partition by columns instead of by hour.`, details: { column: clash.name } },
  )
}
