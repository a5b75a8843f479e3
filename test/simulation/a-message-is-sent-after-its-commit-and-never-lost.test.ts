import { expect, it } from 'vitest'
import { json } from '../../src/pipeline/formats.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { schema } from '../../src/pipeline/schema.ts'
import { kafkaSink } from '../../src/pipeline/sinks.ts'
import { datagen } from '../../src/pipeline/sources.ts'
import type { MessagePublisher } from '../../src/sinks/message-publisher.ts'
import { memoryObjectStore } from '../../src/storage/memory/memory-object-store.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { Crash, crashingStore } from '../support/faulty-store.ts'
import { composeTestDriver } from '../support/run-driver.ts'

const ROWS = 120
const PARTITIONS = 3

const plan = pipeline('feeding')
  .from(
    datagen({ partitions: PARTITIONS, rowsPerPartition: ROWS, rowsPerSecond: 3000, speed: 500, seed: 7 }),
    json(schema({ event_id: 'string', country: 'string' })),
  )
  .land()
  .select('event_id', 'partition', 'offset')
  .to(kafkaSink({ topic: 'fed', key: 'event_id' }))

/** A topic that lives through crashes of the process that writes it. */
class Topic {
  readonly received: { readonly id: string; readonly value: string }[] = []

  /** Dies after so many more messages; -1 for never. */
  publisher(store: ObjectStore, messagesToLive: number): MessagePublisher {
    let left = messagesToLive
    return {
      description: 'kafka fed',
      check: () => Promise.resolve({ maxMessageBytes: 10_000 }),
      send: async ({ messages, firstIndex, idPrefix, batchId }) => {
        const commit = `_checkpoints/feeding/gen-0001/commits/${String(batchId).padStart(12, '0')}.json`
        expect(await store.head(commit), `batch ${batchId} is sent before it is committed`).not.toBe(null)
        for (let index = firstIndex; messages.next(); index += 1) {
          if (left === 0) throw new Crash()
          left -= 1
          const value = Buffer.from(messages.bytes.subarray(messages.valueStart, messages.valueEnd)).toString()
          this.received.push({ id: `${idPrefix}/${index}`, value })
        }
      },
      close: () => Promise.resolve(),
    }
  }
}

const run = async (store: ObjectStore, publisher: MessagePublisher, seed: number): Promise<boolean> => {
  try {
    const { driver } = await composeTestDriver(plan, { store, seed, publisher })
    await driver.run()
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(Crash)
    return false
  }
}

const publisherOfNothing: MessagePublisher = {
  description: 'kafka fed',
  check: () => Promise.resolve({ maxMessageBytes: 10_000 }),
  send: () => Promise.reject(new Error('nothing is left to send')),
  close: () => Promise.resolve(),
}

const expectComplete = async (store: ObjectStore, { received }: Topic, what: string) => {
  const values = new Map<string, string>()
  for (const { id, value } of received) {
    expect(values.get(id) ?? value, `${what}: two messages under one id`).toBe(value)
    values.set(id, value)
  }
  expect(values.size, `${what}: rows and ids`).toBe(ROWS * PARTITIONS)
  expect(new Set(values.values()).size, `${what}: a row under two ids`).toBe(ROWS * PARTITIONS)
  // what a crash left of a batch that ran again is cleared up at the next start
  expect(await run(store, publisherOfNothing, 9)).toBe(true)
  const left: string[] = []
  for await (const { key } of store.list('_outbox/')) left.push(key)
  expect(left, `${what}: left in the outbox`).toEqual([])
}

it('without a crash every row is sent once', async () => {
  const store = memoryObjectStore()
  const topic = new Topic()
  expect(await run(store, topic.publisher(store, -1), 1)).toBe(true)
  expect(topic.received).toHaveLength(ROWS * PARTITIONS)
  await expectComplete(store, topic, 'no crash')
})

it('with a crash before or after any call of the store, and another in the recovery', async () => {
  const probe = crashingStore(memoryObjectStore(), null)
  await run(probe.store, new Topic().publisher(probe.store, -1), 1)
  expect(probe.state.calls).toBeGreaterThan(30)
  for (let call = 1; call <= probe.state.calls; call += 1) {
    for (const when of ['before', 'after'] as const) {
      const store = memoryObjectStore()
      const topic = new Topic()
      await run(crashingStore(store, { call, when }).store, topic.publisher(store, -1), 2)
      await run(crashingStore(store, { call: 1 + (call % 13), when }).store, topic.publisher(store, call % 40), 3)
      await run(store, topic.publisher(store, -1), 4)
      await expectComplete(store, topic, `crash ${when} call ${call}`)
    }
  }
}, 120_000)

it('with a crash after any number of messages', async () => {
  for (let messages = 0; messages < ROWS * PARTITIONS; messages += 7) {
    const store = memoryObjectStore()
    const topic = new Topic()
    expect(await run(store, topic.publisher(store, messages), 5)).toBe(false)
    await run(store, topic.publisher(store, -1), 6)
    await expectComplete(store, topic, `crash after ${messages} messages`)
  }
}, 120_000)
