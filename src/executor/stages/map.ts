import { type ColumnBatch, rowCount } from '../../columnar/column-batch.ts'
import { rowView } from '../../columnar/row-view.ts'
import type { TableSchema } from '../../columnar/schema.ts'
import type { FlatMapNode, MapNode } from '../../pipeline/plan.ts'
import { rowAppender } from './row-appender.ts'
import { countDropped, type StageScope, type StageStep } from './stage.ts'
import { isPromise, wrongResult } from './stage-failed.ts'

/** A flatMap that gives more rows than this for one row is taken for one that never ends. */
const MAX_ROWS_PER_ROW = 1_000_000

/** Makes a row of new columns from each row. */
export const mapStage = (node: MapNode, input: TableSchema, scope: StageScope): StageStep => {
  const appender = rowAppender(node.output)
  return eachRow(input, scope, appender, (result, row) => appender.append(result, row), node.transform)
}

/**
 * Makes any number of rows of new columns from each row. All rows made from one row stand or fall together. Rows
 * that give none are counted as `noRows`.
 */
export const flatMapStage = (node: FlatMapNode, input: TableSchema, scope: StageScope): StageStep => {
  const appender = rowAppender(node.output)
  const appendAll = (result: unknown, row: number): void => {
    if (!isIterable(result)) throw new TypeError('the lambda returned no array or other iterable of rows')
    const before = appender.length
    for (const each of result) {
      if (appender.length - before >= MAX_ROWS_PER_ROW) {
        throw new RangeError(`the lambda gave more than ${MAX_ROWS_PER_ROW} rows for one row`)
      }
      appender.append(each, row)
    }
    const added = appender.length - before
    if (added === 0) countDropped(scope.counters, 'noRows', 1)
    else scope.counters.expanded += added - 1
  }
  return eachRow(input, scope, appender, appendAll, node.transform)
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

type Appender = ReturnType<typeof rowAppender>

/** Runs the lambda for each row and appends what it returns; a row that fails leaves nothing behind. */
const eachRow = (
  input: TableSchema,
  scope: StageScope,
  appender: Appender,
  append: (result: unknown, row: number) => void,
  transform: MapNode['transform'] | FlatMapNode['transform'],
): StageStep => {
  const view = rowView(input)
  return (batch: ColumnBatch) => {
    view.bind(batch)
    const { selection } = batch
    const rows = rowCount(batch)
    for (let at = 0; at < rows; at++) {
      const row = selection === null ? at : (selection[at] as number)
      const before = appender.length
      view.moveTo(row)
      let result: unknown
      try {
        result = transform(view.row)
        if (!isPromise(result)) {
          append(result, row)
          continue
        }
      } catch (error) {
        appender.rollbackTo(before)
        scope.reject(batch, row, error)
        continue
      }
      throw wrongResult(scope, batch, row, result, 'a row')
    }
    return appender.finish(batch)
  }
}
