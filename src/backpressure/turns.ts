import type { BatchId } from '../base/units.ts'

/**
 * When the one at `place` of `count` comes in this batch: lower is earlier. It follows from the number of the batch alone, and
 * the smallest power of two that is not below `count` is a full round, in which everybody comes first once. As turns are in
 * the order of reversed bits, the first half of a round's places come first in every second batch, the first quarter
 * in every fourth, and so on: however many are served from batch to batch, nobody waits for much longer than it takes to
 * serve all.
 */
export const turnOf = (place: number, count: number, batch: BatchId): number => {
  let turn = 0
  let left = place + batch
  for (let round = 1; round < count; round *= 2) {
    turn = 2 * turn + (left % 2)
    left = Math.floor(left / 2)
  }
  return turn
}
