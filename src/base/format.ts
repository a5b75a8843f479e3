/** Whole numbers with thousands separated, as English writes them: 1,234,567. */
export const formatCount = (count: number): string => String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')

/** A number in three digits or so with its magnitude: 51.7 k, 1.2 M. */
export const formatShort = (value: number): string => {
  for (const [size, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value >= 100 * size ? 0 : 1)} ${letter}`
  }
  return String(Math.round(value))
}

const HOUR_MS = 3_600_000

/** A length of time: 812 ms, 34.2 s, 2.5 min, 5.0 h, 313 d. */
export const formatMs = (ms: number): string => {
  if (ms < 10_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 2 * HOUR_MS) return `${(ms / 60_000).toFixed(1)} min`
  return ms < 48 * HOUR_MS ? `${(ms / HOUR_MS).toFixed(1)} h` : `${Math.round(ms / (24 * HOUR_MS))} d`
}

/** The shortest decimal that rounds to the same float32. */
export const float32Text = (value: number): string => {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(value)
}
