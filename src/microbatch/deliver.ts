import { assert } from '../base/assert.ts'
import { MillraceError } from '../base/errors.ts'
import type { JsonValue } from '../base/json.ts'
import type { BatchId } from '../base/units.ts'
import type { SinkDriver, SinkOutput } from '../sinks/sink.ts'
import type { BoundSink } from './driver-parts.ts'

/** What a sink prepared, as the commit lists it. */
export interface NamedReceipt {
  readonly [key: string]: JsonValue
  readonly sink: string
  readonly receipt: JsonValue
}

/** Hands each sink its output, invisibly. One after the other, so that memory holds one sink's upload at a time. */
export const prepareAll = async (
  sinks: readonly BoundSink[],
  outputs: readonly SinkOutput[],
): Promise<readonly NamedReceipt[]> => {
  assert(sinks.length === outputs.length, 'each sink has an output')
  const receipts: NamedReceipt[] = []
  for (const [at, { name, sink }] of sinks.entries()) {
    const output = outputs[at] as SinkOutput
    receipts.push({ sink: name, receipt: await sink.prepare(output) })
  }
  return receipts
}

/** Makes visible what a commit lists. Repeatable: recovery calls it again. */
export const publishAll = async (sinks: readonly BoundSink[], receipts: readonly JsonValue[]): Promise<void> => {
  for (const { sink, receipt } of receipts.map(readReceipt)) await sinkNamed(sinks, sink).publish(receipt)
}

/** What a commit lists for sinks that the pipeline has, and the names of those that it has no longer. */
export const splitBySink = (sinks: readonly BoundSink[], receipts: readonly JsonValue[]) => {
  const isThere = (receipt: JsonValue): boolean => sinks.some(({ name }) => name === readReceipt(receipt).sink)
  const removed = receipts.filter(receipt => !isThere(receipt)).map(receipt => readReceipt(receipt).sink)
  return { present: receipts.filter(isThere), removed }
}

/** Tells each sink what the newest commit says of it. */
export const resumeAll = (sinks: readonly BoundSink[], receipts: readonly JsonValue[], driver: SinkDriver): void => {
  const named = receipts.map(readReceipt)
  for (const { name, sink } of sinks) sink.resume?.(named.find(each => each.sink === name)?.receipt ?? null, driver)
}

/** Drops what was prepared for a batch that another driver committed first. */
export const discardAll = async (sinks: readonly BoundSink[], receipts: readonly NamedReceipt[]): Promise<void> => {
  for (const { sink, receipt } of receipts) await sinkNamed(sinks, sink).discard(receipt)
}

/** Drops what crashed drivers left behind for batches up to `committed`. */
export const clearUpAll = async (sinks: readonly BoundSink[], committed: BatchId): Promise<void> => {
  for (const { sink } of sinks) await sink.clearUp(committed)
}

const readReceipt = (value: JsonValue): NamedReceipt => {
  const named = value as Partial<NamedReceipt> | null
  if (typeof named?.sink === 'string' && named.receipt !== undefined)
    return { sink: named.sink, receipt: named.receipt }
  throw new MillraceError('CHECKPOINT_DAMAGED', 'a commit lists a receipt without a sink', {
    remedy: 'Restore the checkpoint from a backup, or start anew with --new-checkpoint.',
  })
}

const sinkNamed = (sinks: readonly BoundSink[], name: string) => {
  const bound = sinks.find(each => each.name === name)
  if (bound !== undefined) return bound.sink
  throw sinkRemoved(name)
}

/** A sink is gone before what a commit lists for it was certainly visible. */
export const sinkRemoved = (name: string): MillraceError =>
  new MillraceError('PLAN_CHANGED', `the last batch wrote to the sink ${name}, which the pipeline no longer has`, {
    remedy:
      'Run the old pipeline once more, end it with Ctrl-C or SIGTERM so that it publishes that batch, then remove the sink.',
  })
