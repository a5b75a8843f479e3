import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { present } from '../../../src/base/assert.ts'
import { batchId, durationMs, epochMs } from '../../../src/base/units.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { taskInput, taskSpec } from '../../../src/executor/aggregation.ts'
import { checkLedger } from '../../../src/executor/ledger.ts'
import type { Task, TaskResult } from '../../../src/executor/task.ts'
import { linesOf, rowsOf } from './fixtures/json-lines.ts'
import { playsPipeline, playsRunner } from './fixtures/plays.ts'
import { expectedOf } from './fixtures/plays-model.ts'
import { range } from './fixtures/record-source.ts'

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, n) => sum + n, 0)

const anyTask = fc
  .record({
    topic: fc.nat(1000).map(String),
    ends: fc.array(fc.tuple(fc.nat(120), fc.nat(120)), { minLength: 1, maxLength: 3 }),
    watermark: fc.integer({ min: -35_000, max: 35_000 }),
    triggeredAt: fc.integer({ min: -40_000, max: 40_000 }),
  })
  .map(
    ({ topic, ends, watermark, triggeredAt }): Task => ({
      batchId: batchId(0),
      index: 0,
      split: { ranges: ends.map((of, partition) => range(Math.min(...of), Math.max(...of), partition, topic)) },
      watermarks: [epochMs(watermark), epochMs(0)],
      triggeredAt: epochMs(triggeredAt),
    }),
  )

/** Finished groups by window and id, as the driver would make them of this one task. */
const groupsOf = (result: TaskResult) => {
  const aggregation = present(present(playsPipeline.branches[0], 'branch').aggregation, 'aggregation')
  const table = typescriptKernels.groupTable(taskInput(aggregation), taskSpec(aggregation))
  const partials = result.branches[0]?.partials ?? null
  const rows = partials === null ? [] : rowsOf(table.finish(partials))
  return new Map(
    rows.map(({ window_start, id, ...aggregates }) => [`${window_start as number}/${id as number}`, aggregates]),
  )
}

const asInt64 = (value: number | null): string | null => (value === null ? null : `${value}n`)

test('stages, windows, partial aggregates, landed rows and the ledger are what a plain loop over objects gives', async () => {
  const maxFuture = 5_000
  await fc.assert(
    fc.asyncProperty(anyTask, fc.integer({ min: 1, max: 50 }), async (task, batchRows) => {
      const runner = playsRunner(batchRows, undefined, { maxFutureMs: durationMs(maxFuture) })
      const result = await runner.run(task, new AbortController().signal)
      const expected = expectedOf(task, maxFuture)
      checkLedger(result)
      expect(result.ledger).toMatchObject({ read: expected.read, decoded: expected.decoded })

      const [filter, withColumn, window, aggregate] = result.ledger.stages[0] ?? []
      expect(filter?.in).toBe(expected.decoded)
      expect(withColumn?.dropped['stageError'] ?? 0).toBe(expected.lost.stageError)
      expect(window?.dropped['late'] ?? 0).toBe(expected.lost.late)
      expect(window?.dropped['nullEventTime'] ?? 0).toBe(expected.lost.nullEventTime)
      expect(aggregate?.dropped['aggregated'] ?? 0).toBe(
        [...expected.groups.values()].reduce((sum, g) => sum + g.plays, 0),
      )

      const groups = groupsOf(result)
      const wanted = [...expected.groups].map(([key, { plays, twice, least, most }]) => [
        key,
        { plays: asInt64(plays), twice: asInt64(twice), least: asInt64(least), most: asInt64(most) },
      ])
      expect(groups).toEqual(new Map(wanted as never))
      expect(result.branches[0]?.eventTimes.map(({ greatest }) => greatest)).toEqual(expected.maxEventTimes)

      const landed = result.branches[1]
      expect(linesOf(landed?.files[0] ?? [])).toEqual(expected.landed)
      expect(landed?.rows[2]?.flatMap(rowsOf)).toEqual(expected.landed)
      const bad = total(result.ledger.bad)
      const letters = linesOf(result.deadLetters)
      const failed = letters.filter(letter => letter['reason'] === 'stageError').map(letter => letter['offset'])
      const unlucky = [...expected.unluckyAmounts, ...expected.unluckyTags].map(asInt64)
      expect(bad).toBe(expected.read - expected.decoded)
      expect(letters).toHaveLength(bad + unlucky.length)
      expect(failed).toHaveLength(unlucky.length)
      expect(new Set(failed)).toEqual(new Set(unlucky))
    }),
    { numRuns: 150 },
  )
})

const shown = async (batchRows: number) => {
  const task: Task = {
    batchId: batchId(0),
    index: 0,
    split: { ranges: [range(0, 120, 0, '1')] },
    watermarks: [epochMs(0), epochMs(0)],
    triggeredAt: epochMs(0),
  }
  const result = await playsRunner(batchRows).run(task, new AbortController().signal)
  const all = linesOf(result.branches[1]?.files[0] ?? [])
  const rows = (result.branches[1]?.rows[1] ?? []).flatMap(rowsOf)
  return { all, rows }
}

test('a console sink is given the rows it can show, in order of arrival', async () => {
  const { all, rows } = await shown(1000)
  const best = [...all].toSorted((a, b) => (b['id'] as number) - (a['id'] as number)).slice(0, 3)
  expect([...rows].toSorted((a, b) => (b['id'] as number) - (a['id'] as number))).toEqual(best)
  expect(all.length).toBeGreaterThan(20)
})
