/**
 * Columns in Arrow's memory layout (https://arrow.apache.org/docs/format/Columnar.html), so that they go to
 * Arrow, Parquet and DuckDB without a copy. Bitmaps are least-significant bit first; 1 means valid or true.
 */

interface ColumnBase {
  /** Number of rows. */
  readonly length: number
  /** Bit per row, 1 = not null; `null` where no row is null. */
  readonly validity: Uint8Array | null
}

export interface BoolColumn extends ColumnBase {
  readonly kind: 'bool'
  /** Bit per row. */
  readonly values: Uint8Array
}
export interface Int32Column extends ColumnBase {
  /** `date` counts days since 1970-01-01. */
  readonly kind: 'int32' | 'date'
  readonly values: Int32Array
}
export interface Int64Column extends ColumnBase {
  /** `timestamp` counts milliseconds since 1970-01-01T00:00:00Z. */
  readonly kind: 'int64' | 'timestamp'
  readonly values: BigInt64Array
}
export interface FloatColumn extends ColumnBase {
  readonly kind: 'float64'
  readonly values: Float64Array
}
export interface Float32Column extends ColumnBase {
  readonly kind: 'float32'
  readonly values: Float32Array
}
export interface BinaryColumn extends ColumnBase {
  /** `string` and `json` are UTF-8. */
  readonly kind: 'string' | 'json' | 'bytes'
  /** length + 1 positions in `bytes`; row i holds bytes[offsets[i], offsets[i + 1]). */
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}
export interface ListColumn extends ColumnBase {
  readonly kind: 'list'
  /** length + 1 positions in `child`. */
  readonly offsets: Int32Array
  readonly child: ScalarColumn
}

export type ScalarColumn = BoolColumn | Int32Column | Int64Column | FloatColumn | Float32Column | BinaryColumn
export type Column = ScalarColumn | ListColumn

/** Whether a row holds a value, not null. */
export const isValid = (column: Column, row: number): boolean =>
  column.validity === null || ((column.validity[row >> 3] ?? 0) & (1 << (row & 7))) !== 0
