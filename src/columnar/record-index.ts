/** What the header of a Kafka record batch says of its records. */
export interface RecordBase {
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  /** The time at which the broker appended the batch, where that counts instead of the records' own; or `null`. */
  readonly appendTime: number | null
  readonly count: number
}

/** Offsets that are wanted; `until` exclusive. */
export interface Wanted {
  readonly from: number
  readonly until: number
}

/** A record takes at least so many bytes: its length, attributes, two deltas, key and value length, header count. */
export const LEAST_RECORD_BYTES = 7

const INITIAL_ROWS = 1024

/** Where each record of an arena lies: the arrays of a `RecordBatch`, filled record by record and used again. */
export class RecordIndex {
  count = 0
  offsets: Float64Array = new Float64Array(INITIAL_ROWS)
  timestamps: Float64Array = new Float64Array(INITIAL_ROWS)
  keyStart: Int32Array = new Int32Array(INITIAL_ROWS)
  keyLength: Int32Array = new Int32Array(INITIAL_ROWS)
  valueStart: Int32Array = new Int32Array(INITIAL_ROWS)
  valueLength: Int32Array = new Int32Array(INITIAL_ROWS)
  headersStart: Int32Array = new Int32Array(INITIAL_ROWS)
  headersLength: Int32Array = new Int32Array(INITIAL_ROWS)

  /** Makes room for so many records after `count`. */
  reserve(records: number): void {
    const needed = this.count + records
    if (needed <= this.offsets.length) return
    const capacity = Math.max(needed, this.offsets.length * 2)
    this.offsets = grown(new Float64Array(capacity), this.offsets)
    this.timestamps = grown(new Float64Array(capacity), this.timestamps)
    this.keyStart = grown(new Int32Array(capacity), this.keyStart)
    this.keyLength = grown(new Int32Array(capacity), this.keyLength)
    this.valueStart = grown(new Int32Array(capacity), this.valueStart)
    this.valueLength = grown(new Int32Array(capacity), this.valueLength)
    this.headersStart = grown(new Int32Array(capacity), this.headersStart)
    this.headersLength = grown(new Int32Array(capacity), this.headersLength)
  }

  clear(): void {
    this.count = 0
  }
}

const grown = <Values extends Float64Array | Int32Array>(larger: Values, values: Values): Values => {
  larger.set(values)
  return larger
}
