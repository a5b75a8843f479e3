import { present } from '../../base/assert.ts'
import { fieldIndex, type TableSchema } from '../../columnar/schema.ts'
import type { SelectNode } from '../../pipeline/plan.ts'
import type { StageStep } from './stage.ts'

/** Keeps the named columns, in that order; the columns themselves are shared. */
export const selectStage = (node: SelectNode, input: TableSchema): StageStep => {
  const positions = node.columns.map(name => fieldIndex(input, name))
  return batch => ({
    ...batch,
    schema: node.output,
    columns: positions.map((position, at) => present(batch.columns[position], `column ${node.columns[at]}`)),
  })
}
