import type { RowsPerSecond } from '../base/units.ts'
import type { BatchLimit } from './rate-controller.ts'
import type { WaitingPartition } from './share-by-lag.ts'

/** Why a batch got its ranges. */
export interface BatchExplanation {
  readonly maxRows: number
  readonly boundBy: 'rate' | 'bytes' | 'output' | 'maxOffsetsPerTrigger' | 'nothing'
  readonly rate: RowsPerSecond
  /** Whether more waited than was let in. */
  readonly limited: boolean
  /** For people, a line each. */
  readonly lines: readonly string[]
}

/** Puts a limit, a cap and the lag of partitions into words. */
export const explainBatch = (
  limit: BatchLimit,
  cap: number | null,
  partitions: readonly WaitingPartition[],
  untils: readonly number[],
): BatchExplanation => {
  const lag = partitions.reduce((rows, { from, latest }) => rows + latest - from, 0)
  const maxRows = Math.min(limit.maxRows, cap ?? Infinity)
  const boundBy = cap !== null && cap <= limit.maxRows ? 'maxOffsetsPerTrigger' : limit.boundBy
  const limited = lag > maxRows
  const lines = [
    `${lag} rows wait; at most ${maxRows === Infinity ? 'all' : maxRows} may come` +
      (limited ? `, bound by ${boundBy}` : ', so all do'),
    limit.rate === Infinity
      ? 'the rate is not limited'
      : `rate ${limit.rate} rows/s over ${limit.intervalMs} ms, of which a batch itself takes ${Math.round(limit.overheadMs)} ms`,
    ...sizeOfRows(limit),
    ...partitions.map(({ topic, partition, from, latest }, at) => {
      const until = untils[at] ?? from
      return `${topic}/${partition}: ${until - from} of ${latest - from} rows, offsets ${from} to ${until}`
    }),
  ]
  return { maxRows: Math.min(maxRows, lag), boundBy, rate: limit.rate, limited, lines }
}

const sizeOfRows = ({ bytesPerRow, outputPerRow }: BatchLimit): readonly string[] => {
  if (bytesPerRow === null) return []
  const size = `a row has ${Math.round(bytesPerRow)} bytes`
  return [outputPerRow === null ? size : `${size} and gives ${Math.round(outputPerRow)}`]
}
