import type { Offset } from '../../base/units.ts'
import type { FramePool } from '../../kafka/frame-pool.ts'
import { partitionKey } from '../offset-range.ts'
import type { PartitionOffset } from '../source.ts'
import { type FetchedBatches, restOf } from './fetched-batches.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

interface Piece {
  readonly from: number
  readonly coming: Promise<FetchedBatches>
  /** Once it is here. */
  fetched: FetchedBatches | null
  /** Bytes that were expected; 0 once it is here, and counted among the frames that are lent. */
  expected: number
}

/**
 * What was fetched and not asked for yet, of each partition pieces that follow each other: the rest of a fetch that brought
 * more than its range, and fetches that hints set off. Bounded by the frames that are lent: what was kept longest goes first.
 */
export class ReadAhead {
  readonly #fetcher: PartitionFetcher
  readonly #frames: FramePool
  readonly #maxBytes: number
  readonly #kept = new Map<string, Piece[]>()
  #comingBytes = 0

  constructor(fetcher: PartitionFetcher, frames: FramePool, maxBytes: number) {
    this.#fetcher = fetcher
    this.#frames = frames
    this.#maxBytes = maxBytes
  }

  /** What lies here from exactly `position` on; it is the caller's from then on. */
  take(key: string, position: number): Promise<FetchedBatches> | null {
    const [first] = this.#from(key, position)
    if (first === undefined) return null
    this.#forget(key, first)
    return first.coming
  }

  /** Keeps what a fetch brought from `from` on. */
  keep(key: string, fetched: FetchedBatches, from: number): void {
    const rest = restOf(fetched, from)
    const kept = { ...rest, frame: this.#frames.apart(rest.frame) }
    const piece: Piece = { from, coming: Promise.resolve(kept), fetched: kept, expected: 0 }
    const following = this.#from(key, fetched.next)
    this.#kept.delete(key)
    this.#kept.set(key, [piece, ...following])
    for (const oldest of this.#kept.keys()) {
      if (this.#held <= this.#maxBytes) break
      this.#drop(oldest)
    }
  }

  /** Fetches what will probably be asked for next, as far as it does not lie here already and the budget is not spent. */
  hint(position: PartitionOffset, until: Offset | null): void {
    const key = partitionKey(position)
    const last = this.#from(key, position.offset).at(-1)
    if (last === undefined) this.#fetch(position, position.offset, until)
    else if (until !== null) {
      const goOn = ({ next }: FetchedBatches): void => {
        if (next < until && this.#kept.get(key)?.at(-1) === last) this.#fetch(position, next, until)
      }
      last.coming.then(goOn, () => undefined)
    }
  }

  clear(): void {
    for (const key of this.#kept.keys()) this.#drop(key)
  }

  get #held(): number {
    return this.#frames.lentBytes + this.#comingBytes
  }

  /** The pieces from exactly `position` on; others of the partition are of no use to anybody. */
  #from(key: string, position: number): readonly Piece[] {
    const pieces = this.#kept.get(key) ?? []
    if (pieces[0]?.from === position) return pieces
    this.#drop(key)
    return []
  }

  #fetch(of: PartitionOffset, from: number, until: Offset | null): void {
    if (until === null && !this.#fetcher.hasMore(of, from)) return
    const end = until ?? Number.POSITIVE_INFINITY
    const expected = this.#fetcher.expectedBytes(of, end - from)
    if (this.#held + expected > this.#maxBytes) return
    const key = partitionKey(of)
    const piece: Piece = { from, coming: this.#fetcher.fetchNow(of, from, end), fetched: null, expected }
    this.#comingBytes += expected
    this.#kept.set(key, [...(this.#kept.get(key) ?? []), piece])
    const arrived = (fetched: FetchedBatches | null): void => {
      piece.fetched = fetched
      this.#noLongerExpect(piece)
      // nothing was there yet: the range that asks will fetch for itself
      if (fetched === null || fetched.next === fetched.from) this.#forget(key, piece)
    }
    piece.coming.then(arrived, () => arrived(null))
  }

  #noLongerExpect(piece: Piece): void {
    this.#comingBytes -= piece.expected
    piece.expected = 0
  }

  #forget(key: string, piece: Piece): void {
    this.#noLongerExpect(piece)
    const left = (this.#kept.get(key) ?? []).filter(each => each !== piece)
    if (left.length === 0) this.#kept.delete(key)
    else this.#kept.set(key, left)
  }

  #drop(key: string): void {
    const pieces = this.#kept.get(key) ?? []
    this.#kept.delete(key)
    for (const piece of pieces) this.#release(piece)
  }

  #release(piece: Piece): void {
    this.#noLongerExpect(piece)
    if (piece.fetched !== null) return this.#fetcher.release(piece.fetched)
    piece.coming.then(
      fetched => this.#fetcher.release(fetched),
      () => undefined,
    )
  }
}
