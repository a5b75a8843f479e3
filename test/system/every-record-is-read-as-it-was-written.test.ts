import { describe, expect, it } from 'vitest'
import { offset } from '../../src/base/units.ts'
import type { OffsetRange } from '../../src/ingest/offset-range.ts'
import type { SourceReader } from '../../src/ingest/source.ts'
import type { KafkaOptions } from '../../src/pipeline/sources.ts'
import { openKafkaPlanner, openKafkaReader } from './support/kafka-source.ts'
import { type LoadRecord, type LoadStep, loadTopic } from './support/load-topic.ts'
import { addPartitions, createTopic, deleteRecords, groupOffsets, uniqueName } from './support/topics.ts'

interface ReadRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
}

const readAll = async (
  options: KafkaOptions,
  from: number,
  until: number,
  partition = 0,
  fetchMaxBytes = 8_388_608,
) => {
  const reader = openKafkaReader(options, fetchMaxBytes)
  const records = await readRange(reader, { topic: options.topic, partition, from: offset(from), until: offset(until) })
  await reader.close()
  return records
}

const readRange = async (reader: SourceReader, range: OffsetRange) => {
  const records: ReadRecord[] = []
  for await (const batch of reader.read(range, new AbortController().signal)) {
    const text = (start: Int32Array, length: Int32Array, row: number): string | null => {
      const bytes = length[row] as number
      const at = start[row] as number
      return bytes < 0 ? null : Buffer.from(batch.arena.subarray(at, at + bytes)).toString()
    }
    for (let row = 0; row < batch.count; row += 1) {
      records.push({
        offset: batch.offsets[row] as number,
        timestamp: batch.timestamps[row] as number,
        key: text(batch.keyStart, batch.keyLength, row),
        value: text(batch.valueStart, batch.valueLength, row),
      })
    }
  }
  return records
}

/** Records of every kind: null and empty keys and values, long and short, with headers or without. */
const MIXED: readonly LoadRecord[] = Array.from({ length: 20_000 }, (_, at) => ({
  timestamp: 1_700_000_000_000 + at * 17,
  key: at % 5 === 0 ? null : at % 7 === 0 ? '' : `key-${at}`,
  value:
    at % 11 === 0
      ? null
      : at % 13 === 0
        ? ''
        : `value ${at} ${'abc'.repeat(at % 97)}${at % 501 === 0 ? 'x'.repeat(70_000) : ''}`,
  headers:
    at % 3 === 0
      ? [
          ['trace', `t${at}`],
          ['empty', null],
        ]
      : [],
}))

const expected = (records: readonly LoadRecord[], from = 0): readonly ReadRecord[] =>
  records.map(({ timestamp = 0, key, value }, at) => ({
    offset: from + at,
    timestamp,
    key: key as string | null,
    value: value as string | null,
  }))

describe('every record is read as it was written', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('compressed with %s', async compression => {
    const topic = await createTopic(1)
    await loadTopic(topic, MIXED, { compression })
    const all = expected(MIXED)
    expect(await readAll({ topic }, 0, MIXED.length)).toEqual(all)
    // fetches far smaller than a record batch, and a range that begins and ends within one
    expect(await readAll({ topic }, 777, 12_345, 0, 1000)).toEqual(all.slice(777, 12_345))
  })

  it('from many partitions that share requests, records larger than a request among them', async () => {
    const partitions = Array.from({ length: 40 }, (_, partition) => partition)
    const topic = await createTopic(partitions.length)
    const written = MIXED.slice(0, 8000).map((record, at) => ({ ...record, partition: at % partitions.length }))
    await loadTopic(topic, written, { compression: 'lz4' })
    const rows = written.length / partitions.length
    for (const fetchMaxBytes of [20_000, 1_000_000]) {
      const reader = openKafkaReader({ topic }, fetchMaxBytes)
      for (const until of [rows - 7, rows]) {
        const from = until === rows ? rows - 7 : 0
        const ranges = partitions.map(partition => ({ topic, partition, from: offset(from), until: offset(until) }))
        for (const range of ranges) reader.prefetch({ ...range, offset: range.from }, range.until)
        for (const range of ranges) {
          const all = expected(written.filter(({ partition }) => partition === range.partition))
          expect(await readRange(reader, range)).toEqual(all.slice(from, until))
        }
      }
      await reader.close()
    }
  })

  it('leaves out what was rolled back, and markers, unless read_uncommitted is asked for', async () => {
    const topic = await createTopic(1)
    const row = (value: string): LoadRecord => ({ key: null, timestamp: 1, value })
    const steps: readonly LoadStep[] = ['begin', row('a'), row('b'), 'commit', 'begin', row('c'), 'abort']
    const settings = { 'transactional.id': uniqueName('tx') }
    await loadTopic(topic, [...steps, 'begin', row('d'), 'commit', 'begin', row('e'), 'flush', 'abort'], { settings })
    const planner = openKafkaPlanner({ topic })
    const [bounds] = await planner.bounds()
    await planner.close()
    const values = async (isolation: 'read_committed' | 'read_uncommitted') =>
      (await readAll({ topic, isolation }, 0, bounds?.latest ?? 0)).map(({ value }) => value)
    expect(await values('read_committed')).toEqual(['a', 'b', 'd'])
    expect(await values('read_uncommitted')).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})

describe('the planner tells what there is to read', () => {
  it('finds new partitions, deleted records, timestamps and named offsets', async () => {
    const topic = await createTopic(2)
    const rows = (partition: number, count: number): readonly LoadRecord[] =>
      Array.from({ length: count }, (_, at) => ({ partition, timestamp: 1000 + at, value: `${at}` }))
    await loadTopic(topic, [...rows(0, 10), ...rows(1, 20)])
    const planner = openKafkaPlanner({ topic })
    expect(await planner.bounds()).toEqual([
      { topic, partition: 0, earliest: 0, latest: 10 },
      { topic, partition: 1, earliest: 0, latest: 20 },
    ])
    await deleteRecords(topic, 1, 5)
    await addPartitions(topic, 3)
    await expect
      .poll(() => planner.bounds(), { timeout: 10_000 })
      .toEqual([
        { topic, partition: 0, earliest: 0, latest: 10 },
        { topic, partition: 1, earliest: 5, latest: 20 },
        { topic, partition: 2, earliest: 0, latest: 0 },
      ])
    await planner.close()
    const starts = async (options: Partial<KafkaOptions>) => {
      const asked = openKafkaPlanner({ topic, ...options })
      try {
        return (await asked.startingOffsets()).map(each => each.offset)
      } finally {
        await asked.close()
      }
    }
    expect(await starts({ startingOffsets: 'earliest' })).toEqual([0, 5, 0])
    expect(await starts({})).toEqual([10, 20, 0])
    expect(await starts({ startingTimestamp: 1008 })).toEqual([8, 8, 0])
    expect(await starts({ startingTimestamp: 1015 })).toEqual([10, 15, 0])
    expect(await starts({ startingOffsets: { [topic]: { 0: -2, 1: -1, 2: 0 } } })).toEqual([0, 20, 0])
    const ending = openKafkaPlanner({ topic, endingOffsets: { [topic]: { 0: 4, 1: -1, 2: -2 } } })
    expect((await ending.endingOffsets())?.map(each => each.offset)).toEqual([4, 20, 0])
    await ending.close()
    const refused = { code: 'INVALID_PIPELINE' }
    await expect(starts({ startingOffsets: { [topic]: { 0: -2 } } })).rejects.toMatchObject(refused)
    await expect(starts({ startingOffsets: { [topic]: { 0: 0, 1: 0, 2: 0, 3: 0 } } })).rejects.toMatchObject(refused)
    const beyond = openKafkaPlanner({ topic, endingOffsets: { [topic]: { 0: 11, 1: -1, 2: -1 } } })
    await expect(beyond.endingOffsets()).rejects.toThrow('partition 0 ends at 10, not 11')
    await beyond.close()
    await expect(starts({ startingOffsets: { [topic]: { 0: 0, 1: 21, 2: 0 } } })).rejects.toThrow(
      'partition 1 ends at 20',
    )
  })

  it('mirrors committed offsets to a group that lag tools see', async () => {
    const topic = await createTopic(2)
    const planner = openKafkaPlanner({ topic, groupId: `${topic}-group` })
    await planner.committed([
      { topic, partition: 0, offset: offset(7) },
      { topic, partition: 1, offset: offset(9) },
    ])
    expect(await groupOffsets(`${topic}-group`, topic)).toEqual(
      new Map([
        [0, 7],
        [1, 9],
      ]),
    )
    await planner.close()
  })
})
