/** What became of a column in the row at hand: no value has come yet; */
export const UNSEEN: i32 = 0
/** the value is in its place; */
export const VALUE: i32 = 1
/** it is null, or surely missing; */
export const NULL: i32 = 2
/** it is of a kind that the column can't hold; */
export const WRONG_TYPE: i32 = 3
/** it is a whole number of too many bits. */
export const OUT_OF_RANGE: i32 = 4

/** How values of a column (of a list's elements) are read and put. The host names them by the same numbers. */
export const BOOL: i32 = 0
export const INT32: i32 = 1
export const INT64: i32 = 2
export const FLOAT32: i32 = 3
export const FLOAT64: i32 = 4
export const STRING: i32 = 5
export const JSON_TEXT: i32 = 6
export const BYTES: i32 = 7
export const DATE: i32 = 8
export const ISO8601: i32 = 9

/** Flags of a leaf. */
export const NULLABLE: i32 = 1
export const LIST: i32 = 2

/**
 * A column in the making. The host writes the first eight words, in this order, before each batch: the memory they name
 * must hold every value that the batch can bring. A value that is not the last word on its row is written over, since
 * the next one begins in the same place.
 */
@unmanaged
export class Leaf {
  kind: i32
  flags: i32
  /** Values (of elements, where the column is a list): one after the other, a bit each for booleans. */
  values: i32
  /** Where each value of varying length begins in `values`, and where the last one ends. */
  offsets: i32
  /** A bit for each value, 1 where it is not null. */
  validity: i32
  /** For lists: where the elements of each row begin, and which rows are not null. */
  listOffsets: i32
  listValidity: i32
  /** Rows that are null: an answer. */
  nulls: i32
  state: i32
  index: i32
}

/** Bytes from one leaf to the next. */
export const LEAF_BYTES: i32 = 40

/** Whether the column is one of lists. */
export function isList(leaf: Leaf): bool {
  return (leaf.flags & LIST) != 0
}

/** Whether values of a kind differ in length. */
export function isVarying(kind: i32): bool {
  return kind == STRING || kind == JSON_TEXT || kind == BYTES
}

/** Address of the value of varying length number `position`, which is being written. */
export function bytesAt(leaf: Leaf, position: i32): i32 {
  return leaf.values + load<i32>(leaf.offsets + (position << 2))
}

/** Says where that value ends. */
export function endBytes(leaf: Leaf, position: i32, end: i32): void {
  store<i32>(leaf.offsets + (position << 2), end - leaf.values, 4)
}

/** Sets or clears one bit of a bitmap. */
export function putBit(bits: i32, position: i32, bit: bool): void {
  const at = bits + (position >> 3)
  const mask = 1 << (position & 7)
  const old = <i32>load<u8>(at)
  store<u8>(at, bit ? old | mask : old & ~mask)
}

/** Puts what lies beneath a null. */
export function putPlaceholder(leaf: Leaf, position: i32): void {
  switch (leaf.kind) {
    case BOOL:
      putBit(leaf.values, position, false)
      break
    case INT32:
    case DATE:
    case FLOAT32:
      store<i32>(leaf.values + (position << 2), 0)
      break
    case INT64:
    case ISO8601:
    case FLOAT64:
      store<i64>(leaf.values + (position << 3), 0)
      break
    default:
      endBytes(leaf, position, bytesAt(leaf, position))
  }
}
