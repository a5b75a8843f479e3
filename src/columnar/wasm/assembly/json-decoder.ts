import {
  isList,
  isVarying,
  LEAF_BYTES,
  Leaf,
  NULL,
  NULLABLE,
  OUT_OF_RANGE,
  putBit,
  putPlaceholder,
  UNSEEN,
  VALUE,
  WRONG_TYPE,
} from './json-leaf'
import {
  addName,
  findName,
  freeAt,
  KnownName,
  learnable,
  lookUp,
  MAX_LEARNED_BYTES,
  MAX_LEARNED_NAMES,
  makeNode,
  nameBytes,
  nodeBytes,
  PathNode,
  standsAt,
  useMemory,
} from './json-names'
import {
  afterMember,
  byteAt,
  CLOSE_BRACE,
  COLON_AND_QUOTE,
  COMMA_AND_QUOTE,
  INVALID_JSON,
  INVALID_UTF8,
  LOWER_N,
  MAX_DEPTH,
  OPEN_BRACE,
  QUOTE,
  skipColon,
  skipString,
  skipValue,
  skipWhitespace,
} from './json-syntax'
import { readLeaf, state, useScratch } from './json-values'

/** Answered in place of an address: JSON, but not an object. */
const NOT_AN_OBJECT: i32 = -3

/** Why a record left no row. The host names them by the same numbers. */
const NULL_VALUE: i32 = 0
const TOO_LARGE: i32 = 1
const INVALID_JSON_VALUE: i32 = 2
const NO_OBJECT: i32 = 3
const MISSING_COLUMN: i32 = 4
const WRONG_COLUMN_TYPE: i32 = 5
const COLUMN_OUT_OF_RANGE: i32 = 6
const INVALID_UTF8_VALUE: i32 = 7

/** What a decoder remembers from batch to batch. */
@unmanaged
class Decoder {
  root: i32
  leaves: i32
  leafCount: i32
  /** Of members with the same name the first counts, and reading stops at the last column. */
  firstWins: i32
  maxRecordBytes: i32
  record: i32
  /** What is left for names. */
  freeAt: i32
  learnable: i32
}
const DECODER_BYTES: i32 = 64

/** Bytes of memory for a decoder of so many columns, on paths of so many objects and values with names of so many bytes. */
export function jsonDecoderBytes(leaves: i32, nodes: i32, pathBytes: i32): i32 {
  const names = nameBytes(0) * nodes + pathBytes + MAX_LEARNED_NAMES * nameBytes(MAX_LEARNED_BYTES + 16)
  return DECODER_BYTES + LEAF_BYTES * leaves + (nodeBytes(leaves) + 32) * (nodes + 1) + names + 64
}

/** Makes a decoder without paths in the memory at `at`, which must be a multiple of 16. */
export function makeJsonDecoder(at: i32, leaves: i32, firstWins: i32, maxRecordBytes: i32): void {
  const decoder = changetype<Decoder>(at)
  decoder.leaves = at + DECODER_BYTES
  decoder.leafCount = leaves
  decoder.firstWins = firstWins
  decoder.maxRecordBytes = maxRecordBytes
  decoder.record = 0
  for (let index = 0; index < leaves; index++) {
    const leaf = leafAt(decoder, index)
    leaf.state = UNSEEN
    leaf.index = index
  }
  useMemory((decoder.leaves + LEAF_BYTES * leaves + 15) & ~15, MAX_LEARNED_NAMES)
  decoder.root = makeNode(leaves)
  decoder.freeAt = freeAt
  decoder.learnable = learnable
}

/** Address of the leaves, one after the other. */
export function jsonLeaves(at: i32): i32 {
  return changetype<Decoder>(at).leaves
}

/** Address of the node that every path begins at. */
export function jsonRoot(at: i32): i32 {
  return changetype<Decoder>(at).root
}

/** The node that the name [start, end) leads to from `node`, on the way to the leaf number `index`. */
export function addJsonStep(at: i32, nodeAt: i32, start: i32, end: i32, index: i32): i32 {
  const decoder = changetype<Decoder>(at)
  const node = changetype<PathNode>(nodeAt)
  store<i32>(node.below + (node.belowCount << 2), decoder.leaves + index * LEAF_BYTES)
  node.belowCount++
  useMemory(decoder.freeAt, decoder.learnable)
  const known = findName(nodeAt, start, end)
  let child = known == 0 ? 0 : changetype<KnownName>(known).child
  if (child == 0) {
    child = makeNode(decoder.leafCount)
    addName(nodeAt, start, end, child)
  }
  decoder.freeAt = freeAt
  return child
}

/** Says that the path of the leaf number `index` ends at `node`. */
export function endJsonPath(at: i32, nodeAt: i32, index: i32): void {
  changetype<PathNode>(nodeAt).leaf = changetype<Decoder>(at).leaves + index * LEAF_BYTES
}

function leafAt(decoder: Decoder, index: i32): Leaf {
  return changetype<Leaf>(decoder.leaves + index * LEAF_BYTES)
}

/** The decoder at work, and the record at hand. */
let decoder: Decoder = changetype<Decoder>(0)
let firstWins: bool = false
let unseen: i32 = 0
let record: i32 = 0
let end: i32 = 0
let row: i32 = 0
let nameScratch: i32 = 0
let badAt: i32 = 0

/**
 * Decodes `count` records, whose values lie at `arena` + starts[i] and have lengths[i] bytes. Writes the number of the
 * record of each row to `recordOf`, and three words for each bad one to `bad`: record, reason, column or -1. The memory
 * at `scratch` holds the longest value and 16 bytes more. Answers the number of rows.
 */
export function decodeJson(
  at: i32,
  arena: i32,
  starts: i32,
  lengths: i32,
  count: i32,
  recordOf: i32,
  bad: i32,
  scratch: i32,
): i32 {
  decoder = changetype<Decoder>(at)
  firstWins = decoder.firstWins != 0
  record = decoder.record
  row = 0
  nameScratch = scratch
  badAt = bad
  useScratch(scratch)
  useMemory(decoder.freeAt, decoder.learnable)
  beginColumns(count)
  for (let number = 0; number < count; number++) {
    const length = load<i32>(lengths + (number << 2))
    if (length < 0) reject(number, NULL_VALUE, -1)
    else if (length > decoder.maxRecordBytes) reject(number, TOO_LARGE, -1)
    else if (decodeRecord(number, arena + load<i32>(starts + (number << 2)), length)) {
      store<i32>(recordOf + (row << 2), number)
      row++
    }
  }
  decoder.record = record
  decoder.freeAt = freeAt
  decoder.learnable = learnable
  return row
}

/** How many bad records the last batch had. */
export function badRecords(bad: i32): i32 {
  return (badAt - bad) / 12
}

function beginColumns(count: i32): void {
  for (let index = 0; index < decoder.leafCount; index++) {
    const leaf = leafAt(decoder, index)
    leaf.nulls = 0
    if (isVarying(leaf.kind)) store<i32>(leaf.offsets, 0)
    if (isList(leaf)) store<i32>(leaf.listOffsets, 0)
    memory.fill(isList(leaf) ? leaf.listValidity : leaf.validity, 0xff, (count + 7) >> 3)
  }
}

function reject(number: i32, reason: i32, column: i32): void {
  store<i32>(badAt, number)
  store<i32>(badAt, reason, 4)
  store<i32>(badAt, column, 8)
  badAt += 12
}

/** Whether the record became a row. */
function decodeRecord(number: i32, start: i32, length: i32): bool {
  end = start + length
  record++
  unseen = decoder.leafCount + (firstWins ? 0 : 1)
  const at = readRoot(start)
  if (at >= 0) return finishRow(number)
  forgetRow()
  const reason = at == INVALID_JSON ? INVALID_JSON_VALUE : at == INVALID_UTF8 ? INVALID_UTF8_VALUE : NO_OBJECT
  reject(number, reason, -1)
  return false
}

function readRoot(start: i32): i32 {
  let at = skipWhitespace(start, end)
  if (at >= end) return INVALID_JSON
  const isObject = byteAt(at) == OPEN_BRACE
  at = isObject ? readObject(decoder.root, at + 1, 1) : skipValue(at, end, 0)
  if (at < 0 || (isObject && unseen == 0)) return at
  if (skipWhitespace(at, end) != end) return INVALID_JSON
  return isObject ? at : NOT_AN_OBJECT
}

/** From behind an opening brace to behind the closing one, or to where the last column was found. */
function readObject(nodeAt: i32, at: i32, depth: i32): i32 {
  if (depth > MAX_DEPTH) return INVALID_JSON
  let name = changetype<PathNode>(nodeAt).start
  at = skipWhitespace(at, end)
  if (at < end && byteAt(at) == CLOSE_BRACE) return at + 1
  while (at < end && byteAt(at) == QUOTE) {
    const predicted = changetype<KnownName>(name).next
    let known: i32
    if (predicted != 0 && standsAt(predicted, at + 1, end)) {
      known = predicted
      at += changetype<KnownName>(predicted).length + 2
    } else {
      const after = skipString(at + 1, end)
      if (after < 0) return after
      known = lookUp(nodeAt, name, at + 1, after - 1, nameScratch)
      at = after
    }
    if (known != 0) name = known
    const child = known == 0 ? 0 : changetype<KnownName>(known).child
    if (child == 0 && at + 1 < end && load<u16>(at) == COLON_AND_QUOTE) {
      at = skipString(at + 2, end)
    } else {
      at = skipColon(at, end)
      if (at < 0) return at
      at = child == 0 ? skipValue(at, end, depth) : readMember(changetype<PathNode>(child), child, at, depth)
    }
    if (at < 0 || unseen == 0) return at
    if (at + 1 < end && load<u16>(at) == COMMA_AND_QUOTE) {
      at++
      continue
    }
    at = afterMember(at, end, CLOSE_BRACE)
    if (at <= 0) return at == 0 ? INVALID_JSON : -at
    if (byteAt(at) != QUOTE) at = skipWhitespace(at, end)
  }
  return INVALID_JSON
}

function readMember(node: PathNode, nodeAt: i32, at: i32, depth: i32): i32 {
  if (node.belowCount == 0) return readColumn(changetype<Leaf>(node.leaf), at, depth)
  if (node.seenIn == record) {
    if (firstWins) return skipValue(at, end, depth)
    forgetBelow(node)
  }
  node.seenIn = record
  const after = node.leaf == 0 ? 0 : readColumn(changetype<Leaf>(node.leaf), at, depth)
  return after < 0 ? after : readNested(node, nodeAt, at, depth)
}

function readColumn(leaf: Leaf, at: i32, depth: i32): i32 {
  if (leaf.state != UNSEEN) {
    if (firstWins) return skipValue(at, end, depth)
    unseen++
  }
  const after = readLeaf(leaf, row, at, end, depth)
  leaf.state = state
  unseen--
  return after
}

/** Reads the value of a node that columns lie below of. */
function readNested(node: PathNode, nodeAt: i32, at: i32, depth: i32): i32 {
  const first = byteAt(at)
  if (first == OPEN_BRACE) {
    const after = readObject(nodeAt, at + 1, depth + 1)
    if (after >= 0) settle(node, NULL)
    return after
  }
  settle(node, first == LOWER_N ? NULL : WRONG_TYPE)
  return skipValue(at, end, depth)
}

/** The columns below a node that have not been seen won't be. */
function settle(node: PathNode, answer: i32): void {
  for (let i = 0; i < node.belowCount; i++) {
    const leaf = changetype<Leaf>(load<i32>(node.below + (i << 2)))
    if (leaf.state == UNSEEN) {
      leaf.state = answer
      unseen--
    }
  }
}

/** A later member with the same name replaces an object. */
function forgetBelow(node: PathNode): void {
  for (let i = 0; i < node.belowCount; i++) {
    const leaf = changetype<Leaf>(load<i32>(node.below + (i << 2)))
    if (leaf.state != UNSEEN) {
      leaf.state = UNSEEN
      unseen++
    }
  }
}

/** Fills in nulls; whether every column has got what it needs. */
function finishRow(number: i32): bool {
  let nulls = 0
  for (let index = 0; index < decoder.leafCount; index++) {
    const leaf = leafAt(decoder, index)
    if (leaf.state == VALUE) continue
    if (leaf.state <= NULL && (leaf.flags & NULLABLE) != 0) {
      nulls++
      continue
    }
    reject(number, reasonOf(leaf.state), index)
    forgetRow()
    return false
  }
  for (let index = 0; index < decoder.leafCount; index++) {
    const leaf = leafAt(decoder, index)
    if (nulls > 0 && leaf.state != VALUE) putNull(leaf)
    leaf.state = UNSEEN
  }
  return true
}

function reasonOf(answer: i32): i32 {
  if (answer == WRONG_TYPE) return WRONG_COLUMN_TYPE
  return answer == OUT_OF_RANGE ? COLUMN_OUT_OF_RANGE : MISSING_COLUMN
}

function putNull(leaf: Leaf): void {
  leaf.nulls++
  if (isList(leaf)) {
    putBit(leaf.listValidity, row, false)
    store<i32>(leaf.listOffsets + (row << 2), load<i32>(leaf.listOffsets + (row << 2)), 4)
  } else {
    putBit(leaf.validity, row, false)
    putPlaceholder(leaf, row)
  }
}

function forgetRow(): void {
  for (let index = 0; index < decoder.leafCount; index++) leafAt(decoder, index).state = UNSEEN
}
