import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs, epochMs, offset } from '../../../src/base/units.ts'
import type { PartitionProgress } from '../../../src/checkpoint/entries.ts'
import { admitPartitions, advancePartitions, backlogOf, fresh, rangesOf } from '../../../src/microbatch/plan-batch.ts'
import { rangesLeft } from '../../../src/microbatch/planned-ranges.ts'
import { nextTick } from '../../../src/microbatch/triggers.ts'

const now = epochMs(1_000_000)
const at = (partition: number, position: number): PartitionProgress =>
  fresh({ topic: 't', partition, offset: offset(position) }, 1, now)
const bounds = (partition: number, earliest: number, latest: number) => ({
  topic: 't',
  partition,
  earliest: offset(earliest),
  latest: offset(latest),
})
const careful = { failOnDataLoss: true, ending: null }

describe('a plan', () => {
  it('joins on to the plan before, partition by partition, over any run of batches', () => {
    const step = fc.record({
      grow: fc.array(fc.nat(50), { maxLength: 4 }),
      take: fc.array(fc.nat(30), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const latest: number[] = []
        const read = new Map<number, number>()
        let partitions: readonly PartitionProgress[] = []
        for (const { grow, take } of steps) {
          for (const [p, more] of grow.entries()) latest[p] = (latest[p] ?? 0) + more
          const held = latest.map((end, p) => bounds(p, 0, end))
          partitions = admitPartitions(partitions, held, 1, now)
          const { backlog } = backlogOf(partitions, held, careful)
          const share = backlog.map(({ partition, from, latest: end }) =>
            offset(Math.min(end, from + (take[partition] ?? 0))),
          )
          const ranges = rangesOf(backlog, share, false)
          for (const range of ranges) {
            expect(range.from).toBe(read.get(range.partition) ?? 0)
            expect(range.until).toBeGreaterThan(range.from)
            expect(range.until).toBeLessThanOrEqual(latest[range.partition] as number)
            read.set(range.partition, range.until)
          }
          partitions = advancePartitions(partitions, ranges, new Map(), now)
        }
        for (const { partition, offset: position } of partitions) expect(position).toBe(read.get(partition) ?? 0)
      }),
    )
  })

  it('starts a partition that appears while running at offset 0, whatever retention has deleted of it since', () => {
    const held = [bounds(0, 0, 9), bounds(1, 3, 9)]
    const partitions = admitPartitions([at(0, 7)], held, 1, now)
    expect(partitions.map(p => p.offset)).toEqual([7, 0])
    expect(() => backlogOf(partitions, held, careful)).toThrow(/offsets 0 to 2 were deleted/)
    const { backlog } = backlogOf(partitions, held, { ...careful, failOnDataLoss: false })
    expect(backlog.map(({ from }) => from)).toEqual([7, 3])
  })

  it('stops where retention has deleted what was never read', () => {
    expect(() => backlogOf([at(0, 2)], [bounds(0, 5, 9)], careful)).toThrow(/offsets 2 to 4 were deleted/)
  })

  it('names what it skips where the user accepts the loss', () => {
    const { backlog, skipped } = backlogOf([at(0, 2)], [bounds(0, 5, 9)], { ...careful, failOnDataLoss: false })
    expect(backlog).toEqual([{ topic: 't', partition: 0, from: 5, latest: 9 }])
    expect(skipped).toEqual([{ topic: 't', partition: 0, committed: 2, earliest: 5, latest: 9 }])
  })

  it('reads nothing from a topic that ends before the committed offset, and says so', () => {
    const { backlog, ahead } = backlogOf([at(0, 20)], [bounds(0, 0, 9)], careful)
    expect(backlog).toEqual([{ topic: 't', partition: 0, from: 20, latest: 20 }])
    expect(ahead).toHaveLength(1)
  })

  it('does not wait for an end of the run that the topic has lost', () => {
    const ending = new Map([['t/0', offset(9)]])
    expect(backlogOf([at(0, 6)], [bounds(0, 0, 7)], { ...careful, ending }).ahead).toMatchObject([{ committed: 9 }])
    expect(backlogOf([at(0, 6)], [bounds(0, 0, 9)], { ...careful, ending }).ahead).toEqual([])
  })

  it('goes no further than the end of the run', () => {
    const ending = new Map([['t/0', offset(6)]])
    const { backlog } = backlogOf([at(0, 2), at(1, 4)], [bounds(0, 0, 9), bounds(1, 0, 9)], { ...careful, ending })
    expect(backlog.map(({ from, latest }) => [from, latest])).toEqual([
      [2, 6],
      [4, 4],
    ])
  })

  it('fixes the start of every partition in the first batch, also of empty ones', () => {
    const { backlog } = backlogOf([at(0, 2), at(1, 4)], [bounds(0, 0, 2), bounds(1, 0, 4)], careful)
    expect(rangesOf(backlog, [], true)).toHaveLength(2)
    expect(rangesOf(backlog, [], false)).toHaveLength(0)
  })
})

describe('what is left of a plan in the log', () => {
  const planned = (from: number, until: number) => ({
    topic: 't',
    partition: 0,
    from: offset(from),
    until: offset(until),
  })

  it('is the plan where its topic holds all of it', () => {
    const ranges = [planned(2, 9)]
    expect(rangesLeft(ranges, [bounds(0, 2, 9)])).toEqual({ ranges, deleted: [], cut: [] })
    expect(rangesLeft([planned(5, 5)], [bounds(0, 7, 9)])).toEqual({ ranges: [planned(5, 5)], deleted: [], cut: [] })
  })

  it('is less where the topic has lost the beginning or the end, and says which', () => {
    expect(rangesLeft([planned(2, 9)], [bounds(0, 4, 7)])).toMatchObject({
      ranges: [planned(2, 7)],
      deleted: [{ committed: 2, earliest: 4 }],
      cut: [{ from: 2, until: 9, latest: 7 }],
    })
    expect(rangesLeft([planned(5, 9)], [bounds(0, 0, 3)])).toMatchObject({ ranges: [planned(5, 5)], deleted: [] })
    expect(rangesLeft([planned(5, 9)], [bounds(0, 20, 30)]).deleted).toMatchObject([{ committed: 5, earliest: 9 }])
  })
})

describe('ticks', () => {
  const second = durationMs(1000)
  it('lie at multiples of the interval, after a first one at once', () => {
    expect(nextTick(second, null, epochMs(1234))).toBe(1234)
    expect(nextTick(second, epochMs(1234), epochMs(1300))).toBe(2000)
    expect(nextTick(second, epochMs(2000), epochMs(2300))).toBe(3000)
  })
  it('that a long batch has missed are not made up for, but the next batch starts at once', () => {
    expect(nextTick(second, epochMs(2000), epochMs(5700))).toBe(5000)
    expect(nextTick(second, epochMs(5000), epochMs(5800))).toBe(6000)
  })
})
