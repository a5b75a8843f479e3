import { expect, it } from 'vitest'
import { batchId, epochMs } from '../../../src/base/units.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { console, foreachBatch } from '../../../src/pipeline/sinks.ts'
import { kafka } from '../../../src/pipeline/sources.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { rowsOf } from './fixtures/json-lines.ts'
import { generatedRecords, playsRunner } from './fixtures/plays.ts'
import { range } from './fixtures/record-source.ts'

const COLUMNS = schema({
  event_time: 'timestamp?',
  id: 'int32',
  kind: 'string',
  amount: 'int64?',
  tags: 'list<string>',
})

/** Columns go to the sinks as they were decoded: all of them, or some rows. */
const plan = pipeline('plays')
  .from(kafka({ topic: 'plays' }), json(COLUMNS))
  .branches({
    all: rows => rows.to(foreachBatch(() => undefined)),
    some: rows =>
      rows
        .filter(row => row.id > 1)
        .to(
          console({ rows: 100 }),
          foreachBatch(() => undefined),
        ),
  })

const taken = async (kernels: typeof typescriptKernels, batchRows: number) => {
  const runner = playsRunner(batchRows, generatedRecords, { plan, kernels })
  const split = { ranges: [range(0, 120, 0, '1')] }
  const task = { batchId: batchId(0), index: 0, split, watermarks: [epochMs(0), epochMs(0)], triggeredAt: epochMs(0) }
  const { branches } = await runner.run(task, new AbortController().signal)
  return branches.map(({ rows }) => rows.map(batches => batches.flatMap(rowsOf)))
}

it.each(ALL_KERNELS)(
  '%s: a task gives the same rows, whether its records came at once or one by one',
  async (_, of) => {
    const expected = await taken(typescriptKernels, 1000)
    expect(expected[0]?.[0]?.length).toBeGreaterThan(50)
    for (const batchRows of [1, 7, 1000]) expect(await taken(of(), batchRows)).toEqual(expected)
  },
)
