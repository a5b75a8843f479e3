import type { FormatNode } from '../pipeline/plan.ts'
import type { FaultMix } from './fault-mix.ts'
import { type RowMaker, sampleValue } from './sample-rows.ts'
import type { Topic } from './topic.ts'
import { BEGINNING, type World } from './world.ts'

/** How much is produced. */
export interface Production {
  readonly seed: number
  readonly format: FormatNode
  readonly makeRow: RowMaker | null
  readonly faults: FaultMix
  /** Appends over all partitions, and records of one at most. */
  readonly appends: number
  readonly recordsPerAppend: number
  /** All are done by then. */
  readonly untilMs: number
}

/** Producers fill the topic over time; operators add partitions; retention and bad elections take records away. */
export class Producer {
  /** Why this seed need not come to a good end: records are gone that were not read. `null` where all are there. */
  lost: string | null = null
  readonly #topic: Topic
  readonly #world: World
  readonly #production: Production
  /** Partitions that lost their end: nobody writes to them any more. */
  readonly #truncated = new Set<number>()

  constructor(topic: Topic, world: World, production: Production) {
    this.#topic = topic
    this.#world = world
    this.#production = production
  }

  /** Schedules everything that will happen to the topic. @param committed the offset that is safe in a partition */
  schedule(committed: (partition: number) => number): void {
    const { appends, untilMs, faults } = this.#production
    for (let at = 0; at < appends; at += 1) this.#at(this.#world.between(0, untilMs), () => this.#append())
    for (const at of faults.newPartitions) this.#at(at, () => this.#addPartition())
    if (faults.retentionAt !== null) this.#at(faults.retentionAt, () => this.#deleteOld(committed))
    if (faults.truncationAt !== null) this.#at(faults.truncationAt, () => this.#truncate())
  }

  #at(atMs: number, happen: () => void): void {
    this.#world.after(atMs, () => {
      happen()
      return false
    })
  }

  #append(): void {
    const { faults, recordsPerAppend, seed, format, makeRow } = this.#production
    const world = this.#world
    const partition = world.between(0, this.#topic.partitions.length - 1)
    if (this.#truncated.has(partition)) return
    const records = world.between(1, recordsPerAppend)
    const gap = (): number => (world.chance(faults.gaps) ? world.between(1, 3) : 0)
    for (let record = 0; record < records; record += 1) {
      const bad = world.chance(faults.badRecords)
      const ahead = world.chance(faults.futureTimes)
      this.#topic.append(partition, BEGINNING + world.elapsedMs, gap(), offset =>
        sampleValue(format, seed, { partition, offset, beginning: BEGINNING, bad, ahead }, makeRow),
      )
    }
    this.#topic.appendGap(partition, gap())
    world.tell('topic', () => `partition ${partition} ends at ${this.#topic.partition(partition).end}`)
  }

  #addPartition(): void {
    this.#topic.addPartition()
    this.#world.tell('topic', () => `partition ${this.#topic.partitions.length - 1} is added`)
  }

  /** Deletes up to a point that may lie beyond what was read. */
  #deleteOld(committed: (partition: number) => number): void {
    const partition = this.#world.between(0, this.#topic.partitions.length - 1)
    const until = this.#world.between(0, this.#topic.partition(partition).end)
    this.#topic.deleteBefore(partition, until)
    if (until > committed(partition)) this.lost = `retention overtook partition ${partition}`
    this.#world.tell('topic', () => `retention deletes partition ${partition} before ${until}`)
  }

  #truncate(): void {
    const partition = this.#world.between(0, this.#topic.partitions.length - 1)
    const { end } = this.#topic.partition(partition)
    const until = Math.max(0, end - this.#world.between(1, 6))
    this.#topic.truncate(partition, until)
    this.#truncated.add(partition)
    this.lost = `partition ${partition} lost its end`
    this.#world.tell('topic', () => `an unclean election cuts partition ${partition} from ${end} to ${until}`)
  }
}
