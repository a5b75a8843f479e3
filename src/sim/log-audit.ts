import { BEFORE_ALL_TIME } from '../base/units.ts'
import type { CommitEntry, PlanEntry } from '../checkpoint/entries.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { brokenPromise } from './broken-promise.ts'
import { EventTimes } from './event-times.ts'
import type { Topic } from './topic.ts'

/** Entries so far behind the newest commit may be removed. */
const RETAINED = 100
/** Event times further ahead of a batch's trigger may not move a watermark. */
const MAX_FUTURE_MS = 3_600_000

/**
 * Holds the two logs to what they promise: batches without gaps, one commit for each plan, ranges that follow each other in
 * every partition, owners that never go back, watermarks that make no row late within its lateness. Shares no code with
 * what writes the logs.
 */
export class LogAudit {
  /** Batch of the newest commit, -1 before the first. */
  newest = -1
  readonly #topic: Topic
  readonly #times: EventTimes
  readonly #plans = new Map<number, PlanEntry>()
  /** Committed offset of each partition. */
  readonly #positions = new Map<number, number>()
  #owner = 0
  #watermarks: readonly number[] = []

  constructor(plan: PipelinePlan, topic: Topic) {
    this.#topic = topic
    this.#times = new EventTimes(plan)
  }

  /** Committed offsets over all partitions. */
  committed(partition: number): number {
    return this.#positions.get(partition) ?? 0
  }

  /** Whether a committed plan has named the partition. */
  knows(partition: number): boolean {
    return this.#positions.has(partition)
  }

  /** Whether a batch is planned and not committed. */
  get hasOpenPlan(): boolean {
    return this.#plans.has(this.newest + 1)
  }

  /** A plan was written. @returns whether it is news: one that was pruned and written again by a late request is not */
  planned(entry: PlanEntry): boolean {
    const { batchId, epoch, ranges } = entry
    if (batchId <= this.newest - RETAINED) return false
    if (this.#plans.has(batchId)) throw brokenPromise(`plan ${batchId} was written a second time`)
    if (batchId !== this.newest + 1)
      throw brokenPromise(`plan ${batchId} was written when commit ${this.newest} was the newest`)
    this.#requireOwner(epoch, `plan ${batchId}`)
    for (const { partition, from, until } of ranges) {
      const at = this.#positions.get(partition)
      const fits = at === undefined ? from <= this.#topic.partition(partition).earliest : from === at
      if (!fits || until < from) {
        throw brokenPromise(
          `plan ${batchId} takes partition ${partition} from ${from} to ${until}, but ${at ?? 'its beginning'} comes next`,
        )
      }
    }
    this.#requireWatermarks(entry)
    this.#plans.set(batchId, entry)
    return true
  }

  /** A commit was written. @returns its plan, or `null` where it is no news */
  committedBatch(entry: CommitEntry): PlanEntry | null {
    const { batchId, epoch } = entry
    if (batchId <= this.newest - RETAINED) return null
    const plan = this.#plans.get(batchId)
    if (plan === undefined) throw brokenPromise(`batch ${batchId} was committed without a plan`)
    if (batchId !== this.newest + 1) throw brokenPromise(`batch ${batchId} was committed after batch ${this.newest}`)
    this.#requireOwner(epoch, `commit ${batchId}`)
    this.#advance(plan, entry)
    this.newest = batchId
    this.#watermarks = entry.watermarks
    this.#plans.delete(batchId - RETAINED)
    return plan
  }

  /** An entry is gone. */
  removed(batch: number, what: string): void {
    if (batch > this.newest - RETAINED)
      throw brokenPromise(`${what} was removed, and commit ${this.newest} is the newest`)
  }

  #requireOwner(epoch: number, what: string): void {
    if (epoch < this.#owner)
      throw brokenPromise(`${what} was written by epoch ${epoch} after epoch ${this.#owner} had written`)
    this.#owner = epoch
  }

  #advance({ batchId, ranges, triggeredAt }: PlanEntry, { partitions, ledger }: CommitEntry): void {
    for (const { partition, until } of ranges) this.#positions.set(partition, until)
    for (const [partition, at] of this.#positions) {
      const told = partitions.find(each => each.partition === partition)?.offset
      if (told !== at)
        throw brokenPromise(`commit ${batchId} says offset ${told} of partition ${partition}, its plans say ${at}`)
    }
    let records = 0
    for (const { partition, from, until } of ranges) {
      const read = this.#topic.recordsIn(partition, from, until)
      records += read.length
      this.#times.seen(partition, read, triggeredAt + MAX_FUTURE_MS)
    }
    const told = (ledger as { readonly batch: { readonly read: number } }).batch.read
    if (told !== records) throw brokenPromise(`batch ${batchId} counts ${told} records, its ranges hold ${records}`)
  }

  /** A partition that rows wait in is never ahead of its own lateness. */
  #requireWatermarks({ batchId, ranges, watermarks }: PlanEntry): void {
    for (const [branch, watermark] of watermarks.entries()) {
      const before = this.#watermarks[branch] ?? BEFORE_ALL_TIME
      if (watermark < before) throw brokenPromise(`plan ${batchId} moves watermark ${branch} back`)
      for (const { partition, from, until } of ranges) {
        const bound = this.#times.bound(branch, partition)
        if (bound === null || until === from || watermark <= Math.max(before, bound)) continue
        throw brokenPromise(
          `plan ${batchId} has watermark ${watermark} where partition ${partition} has come to ${bound} only`,
        )
      }
    }
  }
}
