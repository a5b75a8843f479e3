import { buildKernels } from '../../scripts/set-up.mjs'

/** Compiles the WebAssembly kernels where they were made from other sources: tests run from sources, kernels don't. */
export default function setUp(): void {
  buildKernels()
}
