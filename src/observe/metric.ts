/** One value of a metric, with a value for each of its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * A metric as data: what it is called and where its values come from. Names follow Prometheus: base units (seconds, bytes),
 * `_total` for counters. A library that speaks to Prometheus is only its subscriber.
 */
export interface Metric<Source> {
  readonly name: string
  readonly help: string
  /** A counter adds each sample, a gauge keeps the last one, a histogram sorts it into buckets. */
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** All bounded by the plan or by a cap: branches, sinks, stages, reasons, phases, partitions. */
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets: readonly number[]
  readonly samples: (source: Source) => readonly Sample[]
}

/** A sample without labels. */
export const sample = (value: number): readonly Sample[] => [{ labels: {}, value }]

/** A sample for each entry of counts, labelled by its key. */
export const samplesOf = (
  counts: Readonly<Record<string, number>>,
  label: string,
  labels: Readonly<Record<string, string>> = {},
): readonly Sample[] => Object.entries(counts).map(([key, value]) => ({ labels: { ...labels, [label]: key }, value }))

/** From a few milliseconds, the time of a small commit, to five minutes, where every alert has long fired. */
export const SECONDS_BUCKETS: readonly number[] = Object.freeze([
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
])
