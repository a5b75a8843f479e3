import type { Kernels } from '../../src/columnar/kernels.ts'
import { typescriptKernels } from '../../src/columnar/typescript/index.ts'
import { wasmKernels } from '../../src/columnar/wasm/index.ts'

let kernels: Kernels | null = null

/** The kernels in WebAssembly, one instance for each test file. */
export const testedWasmKernels = (): Kernels => {
  kernels ??= wasmKernels(256 * 1024 * 1024)
  return kernels
}

/** Every implementation, for tests that hold all of them to the same promises. */
export const ALL_KERNELS = [
  ['typescript', () => typescriptKernels],
  ['wasm', testedWasmKernels],
] as const
