/**
 * Records of one partition as the source delivered them, not yet decoded: one arena of bytes and, for each
 * record, positions in it. No object per record.
 */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  /** Number of records; every array below holds at least so many elements. */
  readonly count: number
  /** The bytes that all positions below point into. Owned by the reader: valid until the next batch is asked for. */
  readonly arena: Uint8Array
  /** Offset of each record in its partition, rising, gaps allowed. */
  readonly offsets: Float64Array
  /** The broker's or producer's timestamp of each record in epoch milliseconds; -1 where there is none. */
  readonly timestamps: Float64Array
  readonly keyStart: Int32Array
  /** -1 for a null key. */
  readonly keyLength: Int32Array
  readonly valueStart: Int32Array
  /** -1 for a null value. */
  readonly valueLength: Int32Array
  /** Start of the record's headers. */
  readonly headersStart: Int32Array
  /** 0 where the source has no headers. */
  readonly headersLength: Int32Array
  /** Kafka's own encoding (count as varint, then key and value of each), or the text that `land()` made of it. */
  readonly headersEncoding?: 'kafka' | 'json'
}
