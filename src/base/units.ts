/**
 * Numbers that carry their unit in their type, so that a duration is never added to a point in time
 * and an offset is never taken for a count. Units come last in names as well: `processingDelayMs`.
 */
declare const unit: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [unit]: Name }

/** A point in time: milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = Branded<number, 'EpochMs'>
/** A length of time in milliseconds. */
export type DurationMs = Branded<number, 'DurationMs'>
/** A position in a partition; a whole number from 0 to 2^53 - 1. */
export type Offset = Branded<number, 'Offset'>
/** A rate in rows per second. */
export type RowsPerSecond = Branded<number, 'RowsPerSecond'>
/** Number of a micro-batch: 0, 1, 2, … without gaps over the whole life of a checkpoint. */
export type BatchId = Branded<number, 'BatchId'>
/** Number of the driver that owns a pipeline; a higher one fences lower ones. */
export type DriverEpoch = Branded<number, 'DriverEpoch'>

/** Says that a plain number has this unit; nothing is checked. */
export const epochMs = (value: number): EpochMs => value as EpochMs
export const durationMs = (value: number): DurationMs => value as DurationMs
export const rowsPerSecond = (value: number): RowsPerSecond => value as RowsPerSecond
export const batchId = (value: number): BatchId => value as BatchId
export const driverEpoch = (value: number): DriverEpoch => value as DriverEpoch
export const offset = (value: number): Offset => value as Offset

/** Event time before every event: the watermark of a pipeline that has seen no row yet. */
export const BEFORE_ALL_TIME: EpochMs = epochMs(-8_640_000_000_000_000)
/** Event time after every event: the watermark that closes all windows (`--flush`). */
export const AFTER_ALL_TIME: EpochMs = epochMs(8_640_000_000_000_000)
