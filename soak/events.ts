/**
 * The rows that a soak sends: each is a function of its partition and offset, so that the verifier can say for every row what
 * it must be. `truthOf` says the same in SQL; the two share nothing but this description:
 *
 *     n = offset * 4 + partition; one record of 20,000 is no JSON; event times go back by up to five seconds
 */
export const PARTITIONS = 4
export const BAD_EVERY = 20_000
/** Event time of offset 0: 2026-01-15T10:00Z. */
const STARTS_AT = 1_768_471_200_000

/** The value of the record at an offset. */
export const valueOf = (partition: number, offset: number): string => {
  if (offset % BAD_EVERY === BAD_EVERY - 1) return `no json ${offset}`
  const n = offset * PARTITIONS + partition
  const user = (n * 7919) % 100_003
  const amount = (n * 104_729) % 10_007
  const time = STARTS_AT + offset * 10 - ((n * 13) % 5_000)
  return `{"seq":${n},"time":${time},"user":${user},"kind":${(n * 31) % 50},"amount":${amount},"note":"Zähler ${user}-${amount}"}`
}

/** Records among the first `offsets` of a partition that can be decoded. */
export const goodRows = (offsets: number): number => offsets - Math.floor(offsets / BAD_EVERY)

/** A query for what rows there must be: columns p, o, seq, time (ms), usr, kind, amount, note. */
export const truthOf = (sent: readonly number[]): string => {
  const partitions = sent.map((rows, p) => `SELECT ${p}::BIGINT AS p, range AS o FROM range(0, ${rows})`)
  return `
    WITH offsets AS (${partitions.join(' UNION ALL ')}),
    numbered AS (SELECT p, o, o * ${PARTITIONS} + p AS n FROM offsets WHERE (o + 1) % ${BAD_EVERY} <> 0),
    drawn AS (SELECT *, (n * 7919) % 100003 AS usr, (n * 104729) % 10007 AS amount FROM numbered)
    SELECT p, o, n AS seq, ${STARTS_AT} + o * 10 - (n * 13) % 5000 AS time, usr, (n * 31) % 50 AS kind, amount,
      'Zähler ' || usr || '-' || amount AS note
    FROM drawn`
}
