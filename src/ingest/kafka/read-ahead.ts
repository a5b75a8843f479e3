import type { Offset } from '../../base/units.ts'
import { partitionKey } from '../offset-range.ts'
import type { PartitionOffset } from '../source.ts'
import type { FetchedBatches } from './fetched-batches.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

interface Kept {
  readonly from: number
  readonly coming: Promise<FetchedBatches>
  /** Of the memory it holds; what was expected while it is on its way. */
  bytes: number
}

/**
 * What was fetched and not asked for yet, one piece for each partition: the rest of a fetch that brought more than its
 * range, or a fetch that a hint set off. Bounded: the oldest piece goes first.
 */
export class ReadAhead {
  readonly #fetcher: PartitionFetcher
  readonly #maxBytes: number
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(fetcher: PartitionFetcher, maxBytes: number) {
    this.#fetcher = fetcher
    this.#maxBytes = maxBytes
  }

  /** What lies here from exactly `position` on; it is the caller's from then on. */
  take(key: string, position: number): Promise<FetchedBatches> | null {
    const kept = this.#kept.get(key)
    if (kept === undefined) return null
    this.#forget(key, kept)
    if (kept.from === position) return kept.coming
    this.#release(kept)
    return null
  }

  /** Keeps the rest of a fetch, `from` on. */
  keep(key: string, fetched: FetchedBatches): void {
    this.#put(key, { from: fetched.from, coming: Promise.resolve(fetched), bytes: fetched.frame.length })
  }

  /** Fetches what will probably be asked for next, unless something lies here already or the budget is spent. */
  hint(position: PartitionOffset, until: Offset | null): void {
    const key = partitionKey(position)
    const end = until ?? Number.POSITIVE_INFINITY
    const bytes = this.#fetcher.expectedBytes(position, end - position.offset)
    if (this.#kept.has(key) || this.#bytes + bytes > this.#maxBytes) return
    if (until === null && !this.#fetcher.hasMore(position, position.offset)) return
    const coming = this.#fetcher.fetchNow(position, position.offset, end)
    const kept: Kept = { from: position.offset, coming, bytes }
    this.#put(key, kept)
    const drop = (): void => {
      if (this.#kept.get(key) === kept) this.#forget(key, kept)
    }
    coming.then(fetched => {
      if (this.#kept.get(key) !== kept) return
      this.#bytes += fetched.frame.length - kept.bytes
      kept.bytes = fetched.frame.length
      // nothing was there yet: the range that asks will fetch for itself
      if (fetched.next === fetched.from) drop()
    }, drop)
  }

  clear(): void {
    for (const [key, kept] of this.#kept) {
      this.#forget(key, kept)
      this.#release(kept)
    }
  }

  #put(key: string, kept: Kept): void {
    const before = this.#kept.get(key)
    if (before !== undefined) {
      this.#forget(key, before)
      this.#release(before)
    }
    this.#kept.set(key, kept)
    this.#bytes += kept.bytes
    for (const [oldest, piece] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.#forget(oldest, piece)
      this.#release(piece)
    }
  }

  #forget(key: string, kept: Kept): void {
    this.#kept.delete(key)
    this.#bytes -= kept.bytes
  }

  #release({ coming }: Kept): void {
    coming.then(
      fetched => this.#fetcher.release(fetched),
      () => undefined,
    )
  }
}
