import { sameBytes } from './bytes'
import { BACKSLASH, byteAt, QUOTE } from './json-syntax'
import { replaced, unescape } from './json-text'

/** Names remembered by one decoder, beside those that lead to columns. */
export const MAX_LEARNED_NAMES: i32 = 512
/** Longer names are not remembered, unless they lead to a column. */
export const MAX_LEARNED_BYTES: i32 = 128
const BUCKETS: i32 = 64
/** Bytes of a `KnownName` before its text. */
const NAME_HEAD: i32 = 24

/** A name met in an object: where it leads, and which name followed it last time. Its text and a quote lie behind it. */
@unmanaged
export class KnownName {
  length: i32
  hash: i32
  /** Address of a node, or 0. */
  child: i32
  /** The name that followed last time, or 0. */
  next: i32
  /** The next name of its bucket, or 0. */
  chain: i32
  unused: i32
}

/** An object, or the value at the end of a path, that some column reads. */
@unmanaged
export class PathNode {
  /** Address of the leaf whose path ends here, or 0. */
  leaf: i32
  /** Addresses of the leaves whose paths go on from here. */
  below: i32
  belowCount: i32
  /** Number of the record in which this node was met last. */
  seenIn: i32
  /** Stands before the first member. */
  start: i32
  /** Where the buckets of its names begin. */
  buckets: i32
}

/** Names that a decoder may still learn, and the memory that is left for them. */
export let learnable: i32 = 0
export let freeAt: i32 = 0

/** Says which memory names go to. */
export function useMemory(at: i32, names: i32): void {
  freeAt = at
  learnable = names
}

function take(bytes: i32): i32 {
  const at = freeAt
  freeAt = (at + bytes + 15) & ~15
  return at
}

/** Bytes that a node takes with room for `below` leaves. */
export function nodeBytes(below: i32): i32 {
  return 32 + NAME_HEAD + 8 + 4 * BUCKETS + 4 * below + 64
}

/** Bytes that a name of `length` bytes takes. */
export function nameBytes(length: i32): i32 {
  return NAME_HEAD + length + 32
}

/** A node without names, with room for `below` leaves; answers its address. */
export function makeNode(below: i32): i32 {
  const address = take(32)
  const node = changetype<PathNode>(address)
  node.leaf = 0
  node.belowCount = 0
  node.seenIn = -1
  node.below = take(4 * below)
  node.buckets = take(4 * BUCKETS)
  memory.fill(node.buckets, 0, 4 * BUCKETS)
  node.start = take(NAME_HEAD)
  memory.fill(node.start, 0, NAME_HEAD)
  return address
}

/** FNV-1a. */
function hashOf(start: i32, end: i32): i32 {
  let hash: i32 = 0x811c9dc5
  for (let at = start; at < end; at++) hash = (hash ^ byteAt(at)) * 0x01000193
  return hash
}

function bucketOf(node: PathNode, hash: i32): i32 {
  return node.buckets + (((hash ^ (hash >>> 16)) & (BUCKETS - 1)) << 2)
}

/** Address of the text of a name. */
function textOf(name: i32): i32 {
  return name + NAME_HEAD
}

/** Adds the name [start, end) that leads to `child`; answers its address. */
export function addName(nodeAt: i32, start: i32, end: i32, child: i32): i32 {
  const node = changetype<PathNode>(nodeAt)
  const length = end - start
  const address = take(nameBytes(length))
  const name = changetype<KnownName>(address)
  name.length = length
  name.hash = hashOf(start, end)
  name.child = child
  name.next = 0
  const bucket = bucketOf(node, name.hash)
  name.chain = load<i32>(bucket)
  store<i32>(bucket, address)
  memory.copy(textOf(address), start, length)
  store<u8>(textOf(address) + length, QUOTE)
  return address
}

/** Address of the name [start, end), or 0. */
export function findName(nodeAt: i32, start: i32, end: i32): i32 {
  const node = changetype<PathNode>(nodeAt)
  const hash = hashOf(start, end)
  let address = load<i32>(bucketOf(node, hash))
  while (address != 0) {
    const name = changetype<KnownName>(address)
    if (name.hash == hash && name.length == end - start && sameBytes(textOf(address), start, name.length)) break
    address = name.chain
  }
  return address
}

/** Whether the name and its closing quote stand at `at`. */
export function standsAt(nameAt: i32, at: i32, end: i32): bool {
  const length = changetype<KnownName>(nameAt).length
  return at + length < end && sameBytes(textOf(nameAt), at, length + 1)
}

/**
 * Finds the name written in [start, end) (checked, between its quotes), remembers it, and that it follows `previous`.
 * Answers 0 for a name that leads nowhere and can't be remembered. `scratch` has room for the name.
 */
export function lookUp(nodeAt: i32, previous: i32, start: i32, end: i32, scratch: i32): i32 {
  if (hasEscape(start, end)) {
    // not linked as a successor: the comparison that predicts works on the text as it is written
    const textEnd = unescape(start, end, scratch)
    return replaced ? 0 : findName(nodeAt, scratch, textEnd)
  }
  let found = findName(nodeAt, start, end)
  if (found == 0 && learnable > 0 && end - start <= MAX_LEARNED_BYTES) {
    learnable--
    found = addName(nodeAt, start, end, 0)
  }
  if (found != 0) changetype<KnownName>(previous).next = found
  return found
}

function hasEscape(start: i32, end: i32): bool {
  for (let at = start; at < end; at++) if (byteAt(at) == BACKSLASH) return true
  return false
}
