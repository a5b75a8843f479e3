import { sinkPromises } from 'millrace/testing'
import { describe, it } from 'vitest'
import { MemoryViews } from '../../../src/sim/memory-views.ts'
import type { MessagePublisher } from '../../../src/sinks/message-publisher.ts'
import {
  consoleUnderTest,
  functionUnderTest,
  outboxUnderTest,
  type Receiver,
  tableUnderTest,
  viewUnderTest,
} from '../../support/sinks-under-test.ts'
import { STORES } from './fixtures/stores.ts'

const receiver = (): Receiver => {
  const received: string[] = []
  const publisher: MessagePublisher = {
    description: 'a list',
    check: async () => ({ maxMessageBytes: 10_000 }),
    send: async ({ messages }) => {
      while (messages.next()) {
        received.push(Buffer.from(messages.bytes.subarray(messages.valueStart, messages.valueEnd)).toString())
      }
    },
    close: async () => undefined,
  }
  return { openPublisher: () => publisher, values: async () => received }
}

const openView = async (open: (typeof STORES)[keyof typeof STORES]) => {
  const views = new MemoryViews()
  return viewUnderTest(open, 'plays', views, async name => views.contents(name))
}

describe.each(Object.entries(STORES))('%s:', (_, open) => {
  for (const { name, run } of sinkPromises(() => tableUnderTest(open))) it(`table: ${name}`, run)
  for (const { name, run } of sinkPromises(() => outboxUnderTest(open, receiver()))) it(`outbox: ${name}`, run)
  for (const { name, run } of sinkPromises(() => openView(open))) it(`view: ${name}`, run)
})

describe('without a store:', () => {
  const traits = { deliversInPrepare: true }
  for (const { name, run } of sinkPromises(consoleUnderTest, traits)) it(`console: ${name}`, run)
  for (const { name, run } of sinkPromises(functionUnderTest, traits)) it(`foreachBatch: ${name}`, run)
})
