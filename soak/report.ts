/** What a soak found: figures under the names that people read, and every promise that was broken. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number | string>>
  readonly broken: readonly string[]
  /** Recovery times in milliseconds, so that several runs add up. */
  readonly recoveries?: readonly number[]
}

/** A quantile of numbers; `NaN` of none. */
export const quantile = (numbers: readonly number[], share: number): number => {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** What must be zero and is not. */
export const wrong = (counts: Readonly<Record<string, number>>): readonly string[] =>
  Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${name}: ${count}`]))

/** The figures for people. */
export const table = ({ figures, broken }: Outcome): string => {
  const width = Math.max(...Object.keys(figures).map(name => name.length))
  const lines = Object.entries(figures).map(
    ([name, value]) => `${name.padEnd(width)}  ${typeof value === 'number' ? value.toLocaleString('en') : value}`,
  )
  const verdict = broken.length === 0 ? ['every promise was kept'] : broken.map(each => `BROKEN ${each}`)
  return `${[...lines, ...verdict].join('\n')}\n`
}
