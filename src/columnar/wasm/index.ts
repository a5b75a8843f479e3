import type { DecoderOptions, Kernels } from '../kernels.ts'
import type { TableSchema } from '../schema.ts'
import { createGroupTable } from '../typescript/group-table.ts'
import { typescriptKernels } from '../typescript/index.ts'
import { wasmGroupParts } from './group-parts.ts'
import { WasmJsonDecoder } from './json-decoder.ts'
import { instantiateKernels } from './kernels-module.ts'
import { wasmPageEncoder } from './page-encoder.ts'
import { wasmRecordWorkspace } from './record-workspace.ts'

/** Kernels in WebAssembly, over memory of their own with so many bytes of address space. @throws KERNELS_NOT_LOADABLE */
export const wasmKernels = (memoryBytes: number): Kernels => {
  const kernels = instantiateKernels(memoryBytes)
  const decoders = new WeakMap<TableSchema, Map<string, WasmJsonDecoder>>()
  const pages = wasmPageEncoder(kernels)
  return {
    ...typescriptKernels,
    name: 'wasm',
    recordWorkspace: arenaBytes => wasmRecordWorkspace(kernels, arenaBytes),
    pageEncoder: () => pages,
    groupTable: (input, spec) => createGroupTable(input, spec, wasmGroupParts(kernels)),
    // tasks of one plan share a decoder, so that what it has learned of the order of names is kept
    jsonDecoder: (schema, options: DecoderOptions) => {
      const known = decoders.get(schema) ?? new Map<string, WasmJsonDecoder>()
      decoders.set(schema, known)
      const key = `${options.validate} ${options.maxRecordBytes}`
      const decoder = known.get(key) ?? new WasmJsonDecoder(kernels, schema, options)
      known.set(key, decoder)
      return decoder
    },
  }
}
