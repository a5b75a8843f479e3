import { assertNever } from '../base/assert.ts'
import type { Kernels } from '../columnar/kernels.ts'
import { typescriptKernels } from '../columnar/typescript/index.ts'
import { wasmKernels } from '../columnar/wasm/index.ts'

/** Which kernels a thread works with; plain data. */
export interface KernelSettings {
  readonly implementation: 'wasm' | 'typescript'
  /** Address space of the WebAssembly kernels. */
  readonly memoryBytes: number
}

/** Kernels for one thread. @throws KERNELS_NOT_LOADABLE */
export const makeKernels = ({ implementation, memoryBytes }: KernelSettings): Kernels => {
  switch (implementation) {
    case 'wasm':
      return wasmKernels(memoryBytes)
    case 'typescript':
      return typescriptKernels
    default:
      return assertNever(implementation)
  }
}
