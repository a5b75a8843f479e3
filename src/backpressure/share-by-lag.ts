import { type Offset, offset } from '../base/units.ts'

/** A partition with what waits in it. */
export interface WaitingPartition {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly latest: Offset
}

/**
 * Shares a number of rows among partitions in proportion to their lag, by largest remainders: the shares add up to
 * min(rows, lag) exactly, no share exceeds a lag, the same input gives the same shares, and where there are at least as
 * many rows as waiting partitions, none of these goes empty-handed.
 *
 * @returns one past the last offset to read, in the order of `partitions`
 */
export const shareByLag = (rows: number, partitions: readonly WaitingPartition[]): readonly Offset[] => {
  const lags = partitions.map(({ from, latest }) => Math.max(0, latest - from))
  const total = lags.reduce((sum, lag) => sum + lag, 0)
  const budget = Math.min(rows, total)
  const waiting = lags.filter(lag => lag > 0).length
  // everyone gets one first, if there is one for each; the rest goes by lag
  const first = budget >= waiting ? 1 : 0
  const shares = proportional(
    budget - first * waiting,
    lags.map(lag => Math.max(0, lag - first)),
  )
  return partitions.map(({ from }, at) =>
    offset(from + (shares[at] as number) + ((lags[at] as number) > 0 ? first : 0)),
  )
}

const proportional = (budget: number, weights: readonly number[]): readonly number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return weights.map(() => 0)
  const exact = weights.map(weight => (weight / total) * budget)
  const shares = exact.map((share, at) => Math.min(Math.floor(share), weights[at] as number))
  let left = budget - shares.reduce((sum, share) => sum + share, 0)
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
