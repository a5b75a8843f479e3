import type { OpenedStore, SinkUnderTest } from 'millrace/testing'
import { seededRandom } from '../../src/base/random.ts'
import { utf8Bytes, utf8Text } from '../../src/base/text.ts'
import { batchId, driverEpoch, durationMs } from '../../src/base/units.ts'
import type { ViewContents } from '../../src/sim/memory-views.ts'
import { consoleSink } from '../../src/sinks/console/console-sink.ts'
import { foreachBatchSink } from '../../src/sinks/foreach-batch.ts'
import type { MessagePublisher } from '../../src/sinks/message-publisher.ts'
import { outboxSink } from '../../src/sinks/outbox-sink.ts'
import { tableSink } from '../../src/sinks/table-sink.ts'
import { viewSink } from '../../src/sinks/view/view-sink.ts'
import type { ViewStore } from '../../src/sinks/view/view-store.ts'
import { systemClock } from '../../src/wiring/system.ts'
import { batchOf, schemaOf } from '../unit/sinks/fixtures/batches.ts'

const SCHEMA = schemaOf({ id: 'int32' })

const rowsOutput: SinkUnderTest['output'] = (batch, epoch, ids) => ({
  batchId: batchId(batch),
  epoch: driverEpoch(epoch),
  files: [],
  rows:
    ids.length === 0
      ? []
      : [
          batchOf(
            SCHEMA,
            ids.map(id => [id]),
          ),
        ],
  watermark: null,
})

/** Files of lines, one for each of two partitions. */
const filesOutput: SinkUnderTest['output'] = (batch, epoch, ids) => ({
  ...rowsOutput(batch, epoch, []),
  files: ['', 'half=1'].flatMap((partition, half) => {
    const own = ids.filter(id => id % 2 === half)
    return own.length === 0 ? [] : [{ partition, bytes: utf8Bytes(own.join('\n')), rows: own.length }]
  }),
})

/** A table of a store, as those see it who list its folder. */
export const tableUnderTest = async (open: () => Promise<OpenedStore>): Promise<SinkUnderTest> => {
  const { store, reopen, close } = await open()
  return {
    openSink: async epoch =>
      tableSink({
        store: await reopen(),
        table: 'rows',
        random: seededRandom(epoch),
        description: 'parquet rows',
        pipeline: 'p',
      }),
    output: filesOutput,
    seen: async () => {
      const ids: number[] = []
      for await (const { key } of store.list('rows/')) {
        ids.push(
          ...utf8Text((await store.get(key)) ?? new Uint8Array())
            .split('\n')
            .map(Number),
        )
      }
      return ids
    },
    close,
  }
}

/** Somewhere that messages are sent to, and what has arrived there. */
export interface Receiver {
  readonly openPublisher: () => MessagePublisher
  readonly values: () => Promise<readonly string[]>
}

/** Messages from an outbox in a store, as their receiver sees them. */
export const outboxUnderTest = async (
  open: () => Promise<OpenedStore>,
  { openPublisher, values }: Receiver,
): Promise<SinkUnderTest> => {
  const { reopen, close } = await open()
  const publishers: MessagePublisher[] = []
  const columns = { key: 'id', value: null }
  return {
    openSink: async epoch => {
      const publisher = openPublisher()
      publishers.push(publisher)
      const store = await reopen()
      return outboxSink({ store, random: seededRandom(epoch), publisher, columns, pipeline: 'p', name: 'fed' })
    },
    output: rowsOutput,
    seen: async () => (await values()).map(value => (JSON.parse(value) as { readonly id: number }).id),
    close: async () => {
      for (const publisher of publishers) await publisher.close()
      await close()
    },
  }
}

/** A view with its log in a store, as its readers see it. */
export const viewUnderTest = async (
  open: () => Promise<OpenedStore>,
  name: string,
  views: ViewStore,
  contents: (name: string) => Promise<ViewContents>,
): Promise<SinkUnderTest> => {
  const { reopen, close } = await open()
  const closing: (() => Promise<void>)[] = []
  return {
    openSink: async (epoch, receipt) => {
      const sink = viewSink({
        node: { kind: 'redisView', name, key: ['id'], format: 'json', ttlMs: null, top: null, table: null },
        pipeline: 'p',
        store: await reopen(),
        views,
        clock: systemClock,
        random: seededRandom(epoch),
        timeoutMs: durationMs(5000),
        warn: () => undefined,
      })
      sink.resume?.(receipt, { epoch: driverEpoch(epoch), requireOwnership: async () => undefined })
      closing.push(async () => sink.close?.())
      return sink
    },
    output: rowsOutput,
    seen: async () => [...(await contents(name)).rows.keys()].map(Number),
    close: async () => {
      for (const end of closing) await end()
      await close()
    },
  }
}

/** What a terminal shows. */
export const consoleUnderTest = async (): Promise<SinkUnderTest> => {
  const lines: string[] = []
  const options = { rows: 10, orderBy: null, name: 'plays', format: 'json' } as const
  return {
    openSink: async () => consoleSink({ ...options, write: text => lines.push(text) }),
    output: rowsOutput,
    seen: async () =>
      lines.flatMap(line =>
        (JSON.parse(line) as { readonly rows: readonly { readonly id: number }[] }).rows.map(({ id }) => id),
      ),
    close: async () => undefined,
  }
}

/** What a function of the user is handed. */
export const functionUnderTest = async (): Promise<SinkUnderTest> => {
  const ids: number[] = []
  const deliver = (rows: readonly unknown[]): void => {
    ids.push(...rows.map(row => (row as { readonly id: number }).id))
  }
  return {
    openSink: async () => foreachBatchSink({ deliver, pipeline: 'p' }),
    output: rowsOutput,
    seen: async () => ids,
    close: async () => undefined,
  }
}
