import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchId, epochMs } from '../../../src/base/units.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { checkLedger } from '../../../src/executor/ledger.ts'
import { taskRunner } from '../../../src/executor/task-runner.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { kafka } from '../../../src/pipeline/sources.ts'
import { partitioner } from '../../../src/sinks/partition-by.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { jsonLines, linesOf } from './fixtures/json-lines.ts'
import { listReader, range } from './fixtures/record-source.ts'

const Play = schema({ id: 'int32', country: 'string?', city: 'string' })
const plan = pipeline('plays')
  .from(kafka({ topic: 'plays' }), json(Play))
  .to(parquet('plays', { partitionBy: ['country', 'city'] }), parquet('all'))

const task = (records: number) => ({
  batchId: batchId(0),
  index: 0,
  split: { ranges: [range(0, records)] },
  watermarks: [epochMs(0)],
  triggeredAt: epochMs(0),
})

/** Texts about as long as a folder's name may be, as they are and URL-encoded. */
const text = fc
  .tuple(fc.constantFrom('x', 'ü', '𝄞', '/'), fc.integer({ min: 0, max: 210 }))
  .map(([character, length]) => character.repeat(length))

/** Lines that are sorted into folders first, which throws where there can be no such folder. */
const sortedLines: TableEncoderFactory = options => {
  const { split } = partitioner(options.schema, options.partitionBy, typescriptKernels)
  const lines = jsonLines(options)
  return {
    ...lines,
    write(rows) {
      split(rows)
      lines.write(rows)
    },
  }
}

test('the rows around it land, in every table of the branch', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ country: fc.option(text), city: text }), { maxLength: 12 }), async places => {
      const rows = places.map((place, id) => ({ id, ...place }))
      const reader = listReader(rows.map((row, offset) => ({ offset, value: JSON.stringify(row) })))
      const runner = taskRunner({ plan, reader, kernels: typescriptKernels, encoderFactory: sortedLines })
      const result = await runner.run(task(rows.length), new AbortController().signal)
      checkLedger(result)

      const bytes = (folder: string): number => Buffer.byteLength(folder)
      const fits = ({ country, city }: (typeof rows)[number]): boolean =>
        (country === null || bytes(`country=${encodeURIComponent(country)}`) <= 200) &&
        bytes(`city=${encodeURIComponent(city)}`) <= 200
      const landed = rows.filter(fits)
      const [byPlace = [], all = []] = result.branches[0]?.files ?? []
      expect(linesOf(byPlace).map(({ id }) => id)).toEqual(landed.map(({ id }) => id))
      expect(linesOf(all)).toEqual(landed)
      expect(linesOf(result.deadLetters)).toMatchObject(
        rows
          .filter(row => !fits(row))
          .map(({ id }) => ({ offset: `${id}n`, reason: 'stageError', column: expect.stringMatching(/country|city/) })),
      )
    }),
  )
})
