import { describe, expect, it } from 'vitest'
import type { Field } from '../../../src/columnar/schema.ts'
import { allocatedBy, allocatedWhenWarm } from '../../support/allocations.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'
import { FIELDS, fieldsOf, ROW, recordsOf } from './fixtures/json-records.ts'

const ROWS = 10_000
const ROUNDS = 2
/** The smallest object of V8 takes 16; what is left is for each batch, and the profiler's own. */
const MAX_BYTES_PER_ROW = 4

const COLUMNS = fieldsOf({
  event_id: 'string',
  event_time: 'timestamp',
  user_id: 'int64',
  content_id: 'int32',
  watched: 'float64',
  longitude: 'float64',
  live: 'bool',
  'device.type': 'string?',
  title: 'string',
  tags: 'list<string>?',
  context: 'json?',
  missing: 'string?',
})
const PLAY: readonly Field[] = [
  ...COLUMNS,
  { name: 'sent', type: 'timestamp', nullable: false, timestampText: 'iso8601' },
  { name: 'small', type: 'float32', nullable: false },
  { name: 'day', type: 'date', nullable: false },
  { name: 'id', type: 'bytes', nullable: false },
]

const play = (i: number): string =>
  JSON.stringify({
    event_id: `e-${i}`,
    event_time: 1_700_000_000_000 + i,
    unread: { a: [i, 'x'], b: null },
    user_id: 9_007_199_254_000_000 + i,
    content_id: i % 100,
    watched: i / 1000,
    longitude: (i + 1) / 7,
    live: i % 2 === 0,
    ...(i % 3 === 0 ? {} : { device: { os: 'x', type: 'tv' } }),
    sent: new Date(1_700_000_000_000 + i).toISOString(),
    day: new Date(1_700_000_000_000 + i).toISOString().slice(0, 10),
    small: i * 1.1e-7,
    id: 'AAECAwQFBgc=',
    title: `a "quoted" title with ünicode ${i}`,
    tags: ['a', 'b'],
    context: { text: 'y'.repeat(i % 1000), i },
  })

describe.each(ALL_KERNELS)('decoding JSON by %s', (_, kernels) => {
  it.each([
    ['row', ROW],
    ['fields', FIELDS],
  ] as const)('allocates nothing for each row when it validates by %s', async (_mode, options) => {
    const records = recordsOf(Array.from({ length: ROWS }, (_, i) => play(i)))
    const decoder = kernels().jsonDecoder({ fields: PLAY }, options)
    const work = (rounds: number) => {
      for (let round = 0; round < rounds; round++) expect(decoder.decode(records).rows.length).toBe(ROWS)
    }
    const bytes = await allocatedWhenWarm(() => work(ROUNDS), ROWS * ROUNDS * MAX_BYTES_PER_ROW)
    expect(bytes / (ROWS * ROUNDS)).toBeLessThan(MAX_BYTES_PER_ROW)
  })

  it('would be noticed if it did', async () => {
    const kept: object[] = []
    const bytes = await allocatedBy(() => {
      for (let i = 0; i < ROWS; i++) kept[i % 10] = { i }
    })
    expect(bytes / ROWS).toBeGreaterThan(MAX_BYTES_PER_ROW)
  })
})
