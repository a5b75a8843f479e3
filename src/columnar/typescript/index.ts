import type { Kernels } from '../kernels.ts'
import { createGroupTable } from './group-table.ts'
import { JsonDecoder } from './json-decoder.ts'
import { pageEncoder } from './page-encoder.ts'
import { recordWorkspace } from './record-workspace.ts'
import { ValueDecoder } from './value-decoder.ts'

/** The kernels in plain TypeScript: the reference that others must agree with. */
export const typescriptKernels: Kernels = {
  name: 'typescript',
  jsonDecoder: (schema, options) => new JsonDecoder(schema, options),
  valueDecoder: (schema, options) => new ValueDecoder(schema, options),
  recordWorkspace,
  groupTable: createGroupTable,
  pageEncoder,
}
