import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const PROGRAM = `
import { parentPort } from 'node:worker_threads'
import { typescriptKernels } from './src/columnar/typescript/index.ts'
import { parquetEncoder } from './src/sinks/parquet/index.ts'
const encoder = parquetEncoder(typescriptKernels)
const schema = { fields: [{ name: 'a', type: 'int32', nullable: false }] }
const writing = encoder({ schema, partitionBy: { kind: 'none' }, maxOpenPartitions: 1, maxFileBytes: 1000 })
const column = { kind: 'int32', length: 3, validity: null, values: Int32Array.of(1, 2, 3) }
writing.write({ schema, columns: [column], length: 3, selection: null, origin: null })
const [file] = writing.finish()
parentPort.postMessage(file.bytes, [file.bytes.buffer])
`

// within the checkout, so that the worker finds its packages
const OUTFILE = 'node_modules/.cache/millrace-tests/parquet-worker.mjs'

it('loads in a worker thread, and its files move to another thread without a copy', async () => {
  const stdin = { contents: PROGRAM, resolveDir: process.cwd(), loader: 'ts' as const }
  await build({ stdin, bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile: OUTFILE })
  const worker = new Worker(resolve(OUTFILE))
  try {
    const bytes = await new Promise<Uint8Array>((received, failed) => {
      worker.once('message', received)
      worker.once('error', failed)
    })
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('PAR1')
    expect(new TextDecoder().decode(bytes.subarray(-4))).toBe('PAR1')
  } finally {
    await worker.terminate()
  }
})
