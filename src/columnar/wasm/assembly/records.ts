/** Where the record at hand is read, and whether something was read that isn't there. */
let at: i32 = 0
let end: i32 = 0
let broken: bool = false

/** A zigzag varint of at most 5 bytes. */
function varint(): i32 {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) break
    const byte = <i32>load<u8>(at++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
  }
  broken = true
  return 0
}

/** A zigzag varint of at most 10 bytes; exact up to 2^53. */
function varlong(): f64 {
  let value: f64 = 0
  let scale: f64 = 1
  for (let read = 0; read < 10; read++) {
    if (at >= end) break
    const byte = <i32>load<u8>(at++)
    value += <f64>(byte & 0x7f) * scale
    if (byte < 0x80) {
      const half = Math.floor(value / 2)
      return half * 2 == value ? half : -(value + 1) / 2
    }
    scale *= 128
  }
  broken = true
  return 0
}

/**
 * The index of records that the host keeps: eight arrays with one element for each, in this order: offsets and
 * timestamps (f64), key start and length, value start and length, headers start and length (i32).
 */
@unmanaged
class Index {
  offsets: i32
  timestamps: i32
  keyStart: i32
  keyLength: i32
  valueStart: i32
  valueLength: i32
  headersStart: i32
  headersLength: i32
}

/**
 * Adds the records of a Kafka record batch (magic 2, decompressed) in [start, stop) whose offsets are in [from, until)
 * to the index at `indexAt`, from row `row` on. Positions are counted from `arena`. Answers how many rows there are
 * then, or -1 where the bytes are not such records. `appendTime` NaN: the records' own timestamps count.
 */
export function indexRecords(
  arena: i32,
  start: i32,
  stop: i32,
  count: i32,
  baseOffset: f64,
  lastOffsetDelta: i32,
  baseTimestamp: f64,
  appendTime: f64,
  from: f64,
  until: f64,
  indexAt: i32,
  row: i32,
): i32 {
  const index = changetype<Index>(indexAt)
  at = start
  end = stop
  broken = false
  let lastDelta = -1
  for (let record = 0; record < count; record++) {
    const length = varint()
    if (broken || length < 0 || length > end - at) return -1
    const recordEnd = at + length
    at++
    const timestampDelta = varlong()
    const delta = varint()
    if (delta <= lastDelta || delta > lastOffsetDelta) return -1
    lastDelta = delta
    const keyLength = varint()
    const keyStart = at
    if (keyLength > 0) {
      if (keyLength > end - at) return -1
      at += keyLength
    }
    if (at > recordEnd) return -1
    const valueLength = varint()
    const valueStart = at
    if (valueLength > 0) {
      if (valueLength > end - at) return -1
      at += valueLength
    }
    if (broken || at >= recordEnd) return -1
    const headersStart = at
    const noHeaders = load<u8>(headersStart) == 0
    if (noHeaders && headersStart + 1 != recordEnd) return -1
    at = recordEnd
    const offset = baseOffset + <f64>delta
    if (offset < from || offset >= until) continue
    const word = row << 2
    store<f64>(index.offsets + (row << 3), offset)
    store<f64>(index.timestamps + (row << 3), isNaN(appendTime) ? baseTimestamp + timestampDelta : appendTime)
    store<i32>(index.keyStart + word, keyStart - arena)
    store<i32>(index.keyLength + word, max(-1, keyLength))
    store<i32>(index.valueStart + word, valueStart - arena)
    store<i32>(index.valueLength + word, max(-1, valueLength))
    store<i32>(index.headersStart + word, headersStart - arena)
    store<i32>(index.headersLength + word, noHeaders ? 0 : recordEnd - headersStart)
    row++
  }
  return at == end ? row : -1
}
