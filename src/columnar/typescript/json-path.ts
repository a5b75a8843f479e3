import { utf8Bytes } from '../../base/text.ts'
import type { TableSchema } from '../schema.ts'
import type { UnescapedText } from './json-escapes.ts'
import { type Leaf, makeLeaf } from './json-leaf.ts'
import { BACKSLASH, QUOTE } from './json-syntax.ts'

/** Names remembered for each object on a path, beside those that lead to columns. */
const MAX_LEARNED_NAMES = 256
/** Longer names are not remembered, unless they lead to a column. */
const MAX_LEARNED_BYTES = 128

/** A name met in an object: where it leads, and which name followed it last time. */
export interface KnownName {
  readonly bytes: Uint8Array
  readonly child: PathNode | null
  next: KnownName | null
}

/**
 * An object, or the value at the end of a path, that some column reads. The columns of a schema make a tree of
 * these: `device.type` is the node `type` below the node `device`.
 */
export class PathNode {
  /** The column whose path ends here. */
  leaf: Leaf | null = null
  /** Columns whose paths go on from here. */
  readonly below: Leaf[] = []
  readonly names = new NameTable()
  /** Number of the record in which this node was met last. */
  seenIn = -1
}

/**
 * The names that the members of one object have had. Members mostly come in the order of the record before, so
 * that each known name keeps its successor, and a name is matched by one comparison instead of a scan and a search.
 */
class NameTable {
  /** Stands before the first member. */
  readonly start: KnownName = { bytes: new Uint8Array(0), child: null, next: null }
  private readonly byHash = new Map<number, KnownName[]>()
  private learned = 0

  /** Adds a name that leads to `child`. */
  add(bytes: Uint8Array, child: PathNode | null): KnownName {
    const name: KnownName = { bytes, child, next: null }
    const hash = hashOf(bytes, 0, bytes.length)
    const bucket = this.byHash.get(hash)
    if (bucket === undefined) this.byHash.set(hash, [name])
    else bucket.push(name)
    return name
  }

  find(bytes: Uint8Array, start: number, end: number): KnownName | null {
    const bucket = this.byHash.get(hashOf(bytes, start, end))
    if (bucket === undefined) return null
    for (const name of bucket) if (sameBytes(name.bytes, bytes, start, end)) return name
    return null
  }

  /**
   * Finds the name written as bytes[start, end) (checked, between its quotes), remembers it, and that it follows
   * `previous`. Answers null for a name that leads nowhere and can't be remembered.
   */
  lookUp(previous: KnownName, bytes: Uint8Array, start: number, end: number, text: UnescapedText): KnownName | null {
    if (hasEscape(bytes, start, end)) {
      // Not linked as a successor: the comparison that predicts works on the text as it is written.
      text.fill(bytes, start, end)
      return text.replaced ? null : this.find(text.bytes, 0, text.length)
    }
    const found = this.find(bytes, start, end) ?? this.learn(bytes, start, end)
    if (found !== null) previous.next = found
    return found
  }

  private learn(bytes: Uint8Array, start: number, end: number): KnownName | null {
    if (this.learned >= MAX_LEARNED_NAMES || end - start > MAX_LEARNED_BYTES) return null
    this.learned++
    return this.add(bytes.slice(start, end), null)
  }
}

/** Whether the name and its closing quote stand at `at`. */
export const standsAt = (name: KnownName, bytes: Uint8Array, at: number, end: number): boolean => {
  const expected = name.bytes
  const length = expected.length
  if (at + length >= end || bytes[at + length] !== QUOTE) return false
  for (let i = 0; i < length; i++) if (expected[i] !== bytes[at + i]) return false
  return true
}

/** The tree of a schema and its columns in their order. A dot in a name always separates names of nested objects. */
export const pathTree = (schema: TableSchema): { readonly root: PathNode; readonly leaves: readonly Leaf[] } => {
  const root = new PathNode()
  const leaves = schema.fields.map(makeLeaf)
  for (const leaf of leaves) {
    let node = root
    for (const step of leaf.field.name.split('.')) {
      node.below.push(leaf)
      node = stepTo(node, utf8Bytes(step))
    }
    node.leaf = leaf
  }
  return { root, leaves }
}

const stepTo = (node: PathNode, name: Uint8Array): PathNode => {
  const known = node.names.find(name, 0, name.length)?.child
  if (known !== null && known !== undefined) return known
  const child = new PathNode()
  node.names.add(name, child)
  return child
}

const hasEscape = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if (bytes[i] === BACKSLASH) return true
  return false
}

const sameBytes = (name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean => {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}

/** FNV-1a, cut to 30 bits, which V8 keeps without boxing. */
const hashOf = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash >>> 2
}
