import type { CommitEntry } from '../checkpoint/entries.ts'
import type { DriverPresence, FastCopy, FastCopyState } from '../checkpoint/fast-copy.ts'

/** What a Redis would hold of one pipeline, in memory. A lease lasts until it is given back. */
export class MemoryFastCopy {
  #newest: CommitEntry | null = null
  #lease: DriverPresence | null = null

  /** A driver's way to it. */
  open(): FastCopy {
    let mine: DriverPresence | null = null
    return {
      begin: driver => {
        mine = driver
        const before = this.#lease
        if (before === null || before.epoch <= driver.epoch) this.#lease = driver
        return Promise.resolve(before)
      },
      committed: entry => {
        const { epoch, batchId } = this.#newest ?? { epoch: 0, batchId: -1 }
        if (entry.epoch > epoch || (entry.epoch === epoch && entry.batchId >= batchId)) this.#newest = entry
      },
      close: () => {
        if (this.#lease === mine) this.#lease = null
        return Promise.resolve()
      },
    }
  }

  read(): FastCopyState {
    const newest = this.#newest
    if (newest === null) return { committed: null, driver: this.#lease }
    const { epoch, batchId, committedAt } = newest
    return { committed: { batchId, epoch, committedAt: new Date(committedAt).toISOString() }, driver: this.#lease }
  }
}
