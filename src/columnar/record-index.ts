const INITIAL_ROWS = 1024

/** Where each record of an arena lies: the arrays of a `RecordBatch`, filled record by record and used again. */
export class RecordIndex {
  count = 0
  offsets = new Float64Array(INITIAL_ROWS)
  timestamps = new Float64Array(INITIAL_ROWS)
  keyStart = new Int32Array(INITIAL_ROWS)
  keyLength = new Int32Array(INITIAL_ROWS)
  valueStart = new Int32Array(INITIAL_ROWS)
  valueLength = new Int32Array(INITIAL_ROWS)
  headersStart = new Int32Array(INITIAL_ROWS)
  headersLength = new Int32Array(INITIAL_ROWS)

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
