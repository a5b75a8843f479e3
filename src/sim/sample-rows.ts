import { assertNever } from '../base/assert.ts'
import { type Random, seededRandom } from '../base/random.ts'
import { utf8Bytes } from '../base/text.ts'
import type { Field, ScalarType } from '../columnar/schema.ts'
import type { FormatNode } from '../pipeline/plan.ts'

/** Where a simulated record lies, and chance that is the same whenever it is made. */
export interface SampledAt {
  readonly partition: number
  readonly offset: number
  /** Event time in epoch milliseconds: it advances with the offset, jitters, and differs between partitions. */
  readonly eventTime: number
  readonly random: Random
}

/** Makes the JSON value of a record. */
export type RowMaker = (at: SampledAt) => Readonly<Record<string, unknown>>

const WORDS = ['DE', 'FR', 'US', 'JP', 'BR']
const SECOND = 1000

/** Which record, and what is wrong with it. */
interface RecordDraw {
  readonly partition: number
  readonly offset: number
  readonly beginning: number
  /** It can't be decoded. */
  readonly bad: boolean
  /** Its event time lies years ahead. */
  readonly ahead: boolean
}

const YEARS_AHEAD = 10 * 365 * 86_400 * SECOND

/** The value of a record for a format: the same for the same seed, partition and offset. */
export const sampleValue = (
  format: FormatNode,
  seed: number,
  { partition, offset, beginning, bad, ahead }: RecordDraw,
  makeRow: RowMaker | null,
): Uint8Array => {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(partition + 1, 0x85ebca6b) ^ offset)
  random.next()
  if (bad) return utf8Bytes(`{ "this is not JSON, ${partition}/${offset}`)
  // partitions lie minutes apart, as in a backlog that is drained; rows within one are up to 4 s out of order
  const inTime = beginning + partition * 120 * SECOND + offset * SECOND - Math.floor(random.next() * 4 * SECOND)
  const eventTime = ahead ? inTime + YEARS_AHEAD : inTime
  if (format.kind !== 'json') return utf8Bytes(`value ${partition}/${offset}`)
  const row = makeRow?.({ partition, offset, eventTime, random }) ?? sampleRow(format.schema.fields, eventTime, random)
  return utf8Bytes(JSON.stringify(row))
}

const sampleRow = (fields: readonly Field[], eventTime: number, random: Random): Record<string, unknown> => {
  const row: Record<string, unknown> = {}
  for (const field of fields) {
    if (field.nullable && random.next() < 0.2) continue
    put(row, field.name.split('.'), sampleField(field, eventTime, random))
  }
  return row
}

const put = (row: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): void => {
  if (rest.length === 0) {
    row[first] = value
    return
  }
  const inner = (row[first] ?? {}) as Record<string, unknown>
  row[first] = inner
  put(inner, rest, value)
}

const sampleField = ({ type, timestampText }: Field, eventTime: number, random: Random): unknown => {
  if (type.startsWith('list<')) return [1, 2].map(() => sampleScalar(type.slice(5, -1) as ScalarType, random))
  if (type !== 'timestamp') return sampleScalar(type as ScalarType, random)
  return timestampText === 'iso8601' ? new Date(eventTime).toISOString() : eventTime
}

const sampleScalar = (type: ScalarType, random: Random): unknown => {
  const whole = (below: number): number => Math.floor(random.next() * below)
  switch (type) {
    case 'bool':
      return random.next() < 0.5
    case 'int32':
    case 'int64':
      return whole(20)
    case 'float32':
    case 'float64':
      return whole(400) / 4
    case 'string':
      return WORDS[whole(WORDS.length)]
    case 'bytes':
      return 'AAEC'
    case 'timestamp':
      return 1_768_471_200_000 + whole(1_000_000)
    case 'date':
      return '2026-01-15'
    case 'json':
      return { nested: whole(5) }
    default:
      return assertNever(type)
  }
}
