import { type BatchId, type Offset, offset } from '../base/units.ts'
import { turnOf } from './turns.ts'

/** A partition with what waits in it. */
export interface WaitingPartition {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly latest: Offset
}

/** So many partitions can be read in every batch, however few rows each may give. */
const MANY_PARTITIONS = 32
/** To read a range costs as much as some hundreds of rows, so that it weighs little beside so many. */
const WORTH_A_RANGE = 4096

/**
 * Shares a number of rows among partitions in proportion to their lag, and spares many of them slivers: where there are not
 * rows enough for a range that is worth reading from each, they take turns, so that each is served every few batches. The
 * shares add up to min(rows, lag) exactly, no share exceeds a lag, and the same input gives the same shares.
 *
 * @returns one past the last offset to read, in the order of `partitions`
 */
export const shareByLag = (
  rows: number,
  partitions: readonly WaitingPartition[],
  batch: BatchId,
): readonly Offset[] => {
  const lags = partitions.map(({ from, latest }) => Math.max(0, latest - from))
  const total = sum(lags)
  if (rows >= total) return partitions.map(({ from, latest }) => offset(Math.max(from, latest)))
  const first = inTurn(rows, lags, batch)
  const rest = proportional(
    rows - sum(first),
    lags.map((lag, at) => lag - (first[at] as number)),
  )
  return partitions.map(({ from }, at) => offset(from + (first[at] as number) + (rest[at] as number)))
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

/** What each partition gets before lag counts, as far as there are rows for it: the turn says who comes first. */
const inTurn = (budget: number, lags: readonly number[], batch: BatchId): readonly number[] => {
  const waiting = lags.flatMap((lag, at) => (lag > 0 ? [{ lag, at, turn: turnOf(at, lags.length, batch) }] : []))
  const evenly = waiting.length <= MANY_PARTITIONS ? 1 : Math.min(WORTH_A_RANGE, Math.floor(budget / MANY_PARTITIONS))
  const shares = lags.map(() => 0)
  let left = budget
  for (const { lag, at } of waiting.toSorted((a, b) => a.turn - b.turn)) {
    const share = Math.min(lag, left, Math.max(1, evenly))
    shares[at] = share
    left -= share
  }
  return shares
}

const proportional = (budget: number, weights: readonly number[]): readonly number[] => {
  const total = sum(weights)
  const exact = weights.map(weight => (weight / total) * budget)
  const shares = exact.map((share, at) => Math.min(Math.floor(share), weights[at] as number))
  let left = budget - sum(shares)
  const byRemainder = exact
    .map((share, at) => ({ at, remainder: share - Math.floor(share) }))
    .toSorted((a, b) => b.remainder - a.remainder || a.at - b.at)
  while (left > 0) {
    for (const { at } of byRemainder) {
      if (left === 0 || (shares[at] as number) >= (weights[at] as number)) continue
      shares[at] = (shares[at] as number) + 1
      left -= 1
    }
  }
  return shares
}
