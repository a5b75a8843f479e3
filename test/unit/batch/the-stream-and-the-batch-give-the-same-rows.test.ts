import * as fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { epochMs } from '../../../src/base/units.ts'
import type { BatchEvent } from '../../../src/batch/batch-parts.ts'
import { publishedWithin } from '../../../src/batch/published-tables.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { parquetEncoder } from '../../../src/sinks/parquet/index.ts'
import type { TableEncoderFactory } from '../../../src/sinks/sink.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import {
  anyChoice,
  anyRecords,
  eventsPipeline,
  HOUR,
  HOURS,
  START,
  type WindowSize,
} from './fixtures/events-pipeline.ts'
import { listSource } from './fixtures/list-source.ts'
import { readFiles, readTable } from './fixtures/read-table.ts'
import { runTestBackfill } from './fixtures/run-backfill.ts'
import { streamAll } from './fixtures/stream-all.ts'

let encoder: TableEncoderFactory
beforeAll(async () => {
  encoder = parquetEncoder(typescriptKernels)
})

const TABLES = ['sums', 'tags', 'mapped', 'copied']

const failures = (events: readonly BatchEvent[]) => events.filter(({ kind }) => kind === 'hourFailed')

/** A long window that holds the first event may start many hours before it. */
const rangeOf = (size: WindowSize) => ({
  from: epochMs(START - (size === '5h' ? 5 : 2) * HOUR),
  until: epochMs(START + (HOURS + 1) * HOUR),
})

const anySource = fc.constantFrom('landed', 'landed', 'kafka')

it('for the same input, over random rows, every kind of stage, and every way a table is landed in', async () => {
  await fc.assert(
    fc.asyncProperty(anyRecords, anyChoice, anySource, async (records, choice, source) => {
      const plan = eventsPipeline(choice)
      const store = memoryObjectStore()
      const range = rangeOf(choice.size)
      await streamAll(plan, listSource('events', records), store, encoder)
      const job = { store, encoder, records, source, range, reprocess: 'none' } as const
      const { events } = await runTestBackfill(plan, job)
      expect(failures(events)).toEqual([])
      for (const table of TABLES) {
        const hours = await publishedWithin({ store, clock: new VirtualClock() }, 'events', table, range)
        const keys = hours.flatMap(({ files }) => files.map(({ key }) => key))
        expect(await readFiles(store, keys), table).toEqual(await readTable(store, `${table}/`))
      }
    }),
    { numRuns: 12 },
  )
}, 120_000)
