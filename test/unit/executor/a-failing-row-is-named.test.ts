import { describe, expect, test } from 'vitest'
import { batchId, epochMs } from '../../../src/base/units.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { taskRunner } from '../../../src/executor/task-runner.ts'
import { json } from '../../../src/pipeline/formats.ts'
import { type PipelineOptions, pipeline } from '../../../src/pipeline/pipeline.ts'
import type { PipelinePlan } from '../../../src/pipeline/plan.ts'
import { schema } from '../../../src/pipeline/schema.ts'
import { parquet } from '../../../src/pipeline/sinks.ts'
import { kafka } from '../../../src/pipeline/sources.ts'
import { jsonLines, linesOf } from './fixtures/json-lines.ts'
import { listReader, range } from './fixtures/record-source.ts'

const Numbers = schema({ n: 'int32' })
const rows = (onStageError: PipelineOptions['onStageError'] = 'fail') =>
  pipeline('numbers', { onStageError }).from(kafka({ topic: 'plays' }), json(Numbers))

/** Offsets 40, 42, 44, …: n is 0, 1, 2, … */
const records = Array.from({ length: 10 }, (_, n) => ({ offset: 40 + 2 * n, value: `{"n":${n}}` }))

const run = (plan: PipelinePlan) =>
  taskRunner({ plan, reader: listReader(records, 4), kernels: typescriptKernels, encoderFactory: jsonLines }).run(
    {
      batchId: batchId(0),
      index: 0,
      split: { ranges: [range(0, 100, 3)] },
      watermarks: [epochMs(0)],
      triggeredAt: epochMs(0),
    },
    new AbortController().signal,
  )
const failure = async (plan: PipelinePlan) =>
  (await run(plan).catch((error: unknown) => error)) as { readonly message: string; readonly cause: Error }

const boom = new RangeError('boom')
const throwAt7 = (n: number): void => {
  if (n === 7) throw boom
}
const alwaysAsync = async () => {
  throw new Error('never seen')
}
const table = parquet('t', { partitionBy: [] })

describe('a lambda that throws', () => {
  const failing: Readonly<Record<string, PipelinePlan>> = {
    filter: rows()
      .filter(({ n }) => (throwAt7(n), true))
      .to(table),
    'withColumn m': rows()
      .filter(({ n }) => n > 2)
      .withColumn('m', 'int32', ({ n }) => (throwAt7(n), n))
      .to(table),
    map: rows()
      .filter(({ n }) => n > 2)
      .map(Numbers, ({ n }) => (throwAt7(n), { n }))
      .to(table),
    flatMap: rows()
      .flatMap(Numbers, function* ({ n }) {
        yield { n }
        throwAt7(n)
      })
      .to(table),
  }
  test.each(Object.keys(failing))('in %s: stage, branch, topic, partition, offset and cause are told', async stage => {
    expect(await failure(failing[stage] as PipelinePlan)).toMatchObject({
      code: 'STAGE_FAILED',
      message: `stage ${stage} of branch main failed on plays/3 offset 54: boom`,
      details: { stage, branch: 'main', topic: 'plays', partition: 3, offset: 54 },
      cause: boom,
    })
  })

  test('behind a flatMap the offset is that of the record', async () => {
    const plan = rows()
      .flatMap(Numbers, ({ n }) => [{ n }, { n: n + 100 }])
      .filter(({ n }) => (throwAt7(n - 100), true))
      .to(table)
    expect(await failure(plan)).toMatchObject({ details: { offset: 54 } })
  })
})

describe("with onError 'deadLetter'", () => {
  test('the record goes to the dead letters with its bytes, the rows around it go on', async () => {
    const plan = rows('deadLetter')
      .withColumn('m', 'int32', ({ n }) => (throwAt7(n), n * 2))
      .to(table)
    const result = await run(plan)
    expect(linesOf(result.branches[0]?.files[0] ?? []).map(row => row['m'])).toEqual([0, 2, 4, 6, 8, 10, 12, 16, 18])
    expect(linesOf(result.deadLetters)).toEqual([
      expect.objectContaining({
        topic: 'plays',
        partition: 3,
        offset: '54n',
        reason: 'stageError',
        value: Buffer.from('{"n":7}').toString('hex'),
      }),
    ])
    expect(result.ledger.stages[0]).toEqual([
      { stage: 'withColumn m', in: 10, out: 9, expanded: 0, dropped: { stageError: 1 } },
    ])
  })

  test('a filter that throws has not filtered', async () => {
    const result = await run(
      rows('deadLetter')
        .filter(({ n }) => (throwAt7(n), n > 2))
        .to(table),
    )
    expect(result.ledger.stages[0]).toEqual([
      { stage: 'filter', in: 10, out: 6, expanded: 0, dropped: { filtered: 3, stageError: 1 } },
    ])
  })

  test('a flatMap leaves none of the rows of a record that failed half way', async () => {
    const plan = rows('deadLetter')
      .flatMap(Numbers, function* ({ n }) {
        yield { n }
        throwAt7(n)
        yield { n }
      })
      .to(table)
    const result = await run(plan)
    expect(linesOf(result.branches[0]?.files[0] ?? []).map(row => row['n'])).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 8, 9].flatMap(n => [n, n]),
    )
    expect(result.ledger.stages[0]).toEqual([
      { stage: 'flatMap', in: 10, out: 18, expanded: 9, dropped: { stageError: 1 } },
    ])
  })

  test.each([
    ['missing', () => ({}) as never, /no property n/],
    ['extra', (n: number) => ({ n, m: n }) as never, /property m, which is no column/],
    ['of the wrong type', (n: number) => ({ n: String(n) }) as never, /column n holds int32/],
    ['not there at all', () => null as never, /null instead of a row/],
  ])('a property that is %s is named', async (_, wrong, message) => {
    const broken = (n: number) => (n === 7 ? wrong(n) : { n })
    expect(
      await failure(
        rows()
          .map(Numbers, ({ n }) => broken(n))
          .to(table),
      ),
    ).toMatchObject({
      code: 'STAGE_FAILED',
      message: expect.stringMatching(message),
      details: { offset: 54 },
    })
    const result = await run(
      rows('deadLetter')
        .map(Numbers, ({ n }) => broken(n))
        .to(table),
    )
    expect(linesOf(result.branches[0]?.files[0] ?? []).map(row => row['n'])).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9])
    expect(linesOf(result.deadLetters)).toHaveLength(1)
  })
})

describe('a lambda that can be right for no row fails even where rows may go to the dead letters', () => {
  test.each([
    [
      'an async filter',
      rows('deadLetter')
        .filter(alwaysAsync as never)
        .to(table),
      /Promise/,
    ],
    [
      'an async withColumn',
      rows('deadLetter')
        .withColumn('m', 'int32', alwaysAsync as never)
        .to(table),
      /Promise/,
    ],
    [
      'an async map',
      rows('deadLetter')
        .map(Numbers, alwaysAsync as never)
        .to(table),
      /Promise/,
    ],
    [
      'an async flatMap',
      rows('deadLetter')
        .flatMap(Numbers, alwaysAsync as never)
        .to(table),
      /Promise/,
    ],
    [
      'a filter that answers a number',
      rows('deadLetter')
        .filter(({ n }) => n as never)
        .to(table),
      /number 0 instead of true or false/,
    ],
    [
      'a filter that answers nothing',
      rows('deadLetter')
        .filter(() => undefined as never)
        .to(table),
      /undefined instead of true or false/,
    ],
  ])('%s', async (_, plan, message) => {
    expect(await failure(plan)).toMatchObject({
      code: 'STAGE_FAILED',
      message: expect.stringMatching(message),
      details: { offset: 40 },
    })
  })
})
