import { present } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { type BatchId, type DurationMs, epochMs } from '../../base/units.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import type { RedisViewSinkNode } from '../../pipeline/plan.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { Sink, SinkDriver, SinkOutput } from '../sink.ts'
import { ViewLog } from './view-log.ts'
import { ViewPublisher } from './view-publisher.ts'
import { readReceipt, type ViewManifest, type ViewReceipt, writeReceipt } from './view-receipt.ts'
import { viewRows } from './view-rows.ts'
import type { ViewStore } from './view-store.ts'

/** What a view's sink is made with. */
export interface ViewSinkOptions {
  readonly node: RedisViewSinkNode
  readonly pipeline: string
  /** Where the log lies. */
  readonly store: ObjectStore
  readonly views: ViewStore
  readonly clock: Clock
  readonly random: Random
  /** How long a batch waits for the view; then the stream goes on and the view follows. */
  readonly timeoutMs: DurationMs
  readonly warn: (code: string, message: string) => void
}

const EMPTY: ViewManifest = { snapshot: null, changes: [] }

/**
 * A view as a sink: the rows that a batch changes go to the view's log before the commit, and to the view after it. The
 * commit lists the whole log, so any view can be brought to it: one that missed batches, one that was flushed, rolled
 * back or lost. Publishing never fails the stream and never holds it up for longer than the time limit.
 */
export const viewSink = (options: ViewSinkOptions): Sink => {
  const view = new ViewSink(options)
  return {
    description: `redisView ${options.node.name}`,
    delivery: 'exactlyOnce',
    prepare: async output => writeReceipt(await view.prepare(output)),
    publish: receipt => view.publish(readReceipt(receipt, options.node.name)),
    discard: receipt => view.discard(readReceipt(receipt, options.node.name)),
    clearUp: committed => view.log.clearUp(committed, view.manifest),
    resume: (receipt, driver) => view.resume(receipt === null ? null : readReceipt(receipt, options.node.name), driver),
    close: () => view.close(),
  }
}

class ViewSink {
  readonly log: ViewLog
  readonly #options: ViewSinkOptions
  readonly #publisher: ViewPublisher
  readonly #shape: string
  #driver: SinkDriver | null = null
  #committed: ViewReceipt | null = null
  /** The change of the batch that was prepared last, so that publishing need not read it back. */
  #prepared: { readonly batch: BatchId; readonly change: ColumnBatch } | null = null

  constructor(options: ViewSinkOptions) {
    const { node, pipeline, store, views, clock, random, timeoutMs, warn } = options
    this.#options = options
    this.log = new ViewLog({ store, random, pipeline, view: node.name })
    const walk = { store: views, now: () => clock.nowMs() }
    this.#publisher = new ViewPublisher({ walk, log: this.log, clock, random, timeoutMs, warn })
    this.#shape = JSON.stringify([node.format, node.key, node.top?.by ?? null])
  }

  get manifest(): ViewManifest | null {
    return this.#committed?.manifest ?? null
  }

  async prepare({ batchId, rows, watermark }: SinkOutput): Promise<ViewReceipt> {
    const { node, clock, random } = this.#options
    const now = clock.nowMs()
    const change = viewRows(node, rows, node.ttlMs === null ? null : epochMs(now + node.ttlMs))
    const before = this.#committed?.shape === this.#shape ? this.#committed : null
    const receipt: ViewReceipt = {
      owner: before?.owner ?? (await this.log.identity()),
      log: before?.log ?? random.nonce(),
      shape: this.#shape,
      batch: batchId,
      previous: before?.batch ?? null,
      committedAt: now,
      watermark,
      manifest: await this.log.append(before?.manifest ?? EMPTY, batchId, change, now),
    }
    this.#prepared = { batch: batchId, change }
    return receipt
  }

  async publish(receipt: ViewReceipt): Promise<void> {
    this.#committed = receipt
    const prepared = this.#prepared
    this.#prepared = null
    const { node, pipeline } = this.#options
    const { name, format, key, top } = node
    await this.#publisher.publish({
      view: { name, pipeline, owner: receipt.owner, format, key, top: top?.n ?? 0 },
      driver: present(this.#driver, 'a driver that has resumed'),
      receipt,
      change: prepared?.batch === receipt.batch ? prepared.change : null,
    })
  }

  async discard(receipt: ViewReceipt): Promise<void> {
    this.#prepared = null
    await this.log.discard(receipt.manifest, this.manifest)
  }

  resume(receipt: ViewReceipt | null, driver: SinkDriver): void {
    this.#driver = driver
    this.#committed = receipt
    this.#prepared = null
  }

  close(): Promise<void> {
    return this.#publisher.close()
  }
}
