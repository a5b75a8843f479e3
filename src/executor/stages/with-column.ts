import { present } from '../../base/assert.ts'
import { type ColumnBatch, rowCount } from '../../columnar/column-batch.ts'
import { columnBuilder } from '../../columnar/column-builder.ts'
import { rowView } from '../../columnar/row-view.ts'
import { type Field, fieldIndex, type TableSchema } from '../../columnar/schema.ts'
import type { WithColumnNode } from '../../pipeline/plan.ts'
import type { StageScope, StageStep } from './stage.ts'
import { isPromise, wrongResult } from './stage-failed.ts'

/**
 * Computes one column from the others, row by row; the others are shared. Rows outside the selection, and those whose
 * lambda failed, get a placeholder, since all columns of a batch are equally long.
 */
export const withColumnStage = (node: WithColumnNode, input: TableSchema, scope: StageScope): StageStep => {
  const field = present(node.output.fields[fieldIndex(node.output, node.name)], `column ${node.name}`)
  const sources = node.output.fields.map(({ name }) => (name === node.name ? -1 : fieldIndex(input, name)))
  const compute = columnComputer(node, field, input, scope)
  return batch => {
    const { column, selection } = compute(batch)
    const columns = sources.map(at => (at === -1 ? column : present(batch.columns[at], 'column')))
    return { ...batch, schema: node.output, columns, selection }
  }
}

const columnComputer = (node: WithColumnNode, field: Field, input: TableSchema, scope: StageScope) => {
  const view = rowView(input)
  const builder = columnBuilder(field)
  const placeholder = placeholderOf(field)
  const padTo = (length: number): void => {
    while (builder.length < length) builder.append(placeholder)
  }
  return (batch: ColumnBatch) => {
    view.bind(batch)
    const { selection } = batch
    const rows = rowCount(batch)
    const kept = new Int32Array(rows)
    let count = 0
    for (let at = 0; at < rows; at++) {
      const row = selection === null ? at : (selection[at] as number)
      padTo(row)
      view.moveTo(row)
      let value: unknown
      try {
        value = node.compute(view.row)
        if (!isPromise(value)) {
          builder.append(value)
          kept[count++] = row
          continue
        }
      } catch (error) {
        scope.reject(batch, row, error)
        continue
      }
      throw wrongResult(scope, batch, row, value, `a value of type ${field.type}`)
    }
    padTo(batch.length)
    return { column: builder.finish(), selection: count === rows ? selection : kept.subarray(0, count) }
  }
}

/** Some value that a column of this type can hold. */
const placeholderOf = ({ type }: Field): unknown => {
  switch (type) {
    case 'bool':
      return false
    case 'string':
    case 'json':
      return ''
    case 'bytes':
      return new Uint8Array(0)
    default:
      return type.startsWith('list<') ? [] : 0
  }
}
