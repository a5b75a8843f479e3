import type { Column } from '../column.ts'
import type { BadRecord, BadRecordReason, DecodedBatch, DecoderOptions, RecordDecoder } from '../kernels.ts'
import type { RecordBatch } from '../record-batch.ts'
import type { TableSchema } from '../schema.ts'
import { UnescapedText } from './json-escapes.ts'
import type { Leaf } from './json-leaf.ts'
import { type KnownName, type PathNode, pathTree, standsAt } from './json-path.ts'
import {
  CLOSE_BRACE,
  COMMA,
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
} from './json-syntax.ts'
import { type LeafState, NULL, OUT_OF_RANGE, UNSEEN, VALUE, ValueReader, WRONG_TYPE } from './json-values.ts'

/** Answered in place of a position: JSON, but not an object. */
const NOT_AN_OBJECT = -3
const NO_BYTES = new Uint8Array(0)

/**
 * Decodes JSON objects straight from their bytes into columns; only what the schema names is materialised.
 *
 * Values and verdicts are those of JSON.parse, and beyond it: integers are exact to 64 bits, strings must be UTF-8,
 * containers nest 512 deep at most. A lone surrogate escape becomes U+FFFD. A JSON null is a null in every column.
 * A dotted name is a path; where it leads through something that is neither an object nor null, its columns are of
 * the wrong type. Of several bad columns the first in the schema is reported.
 *
 * With `validate: 'row'` the last of members with the same name counts, as in JSON.parse; with `'fields'` the first
 * (also of a path's objects), and nothing is looked at behind the value of the last column found. What is looked
 * at is checked as strictly in both.
 */
export class JsonDecoder implements RecordDecoder {
  private readonly schema: TableSchema
  private readonly maxRecordBytes: number
  private readonly firstWins: boolean
  private readonly root: PathNode
  private readonly leaves: readonly Leaf[]
  private readonly values = new ValueReader()
  private readonly nameText = new UnescapedText()

  /** What became of each column in the record at hand. */
  private readonly states: LeafState[]
  /** Columns of the record at hand that are UNSEEN; one more where the whole record must be read. */
  private unseen = 0
  /** Tells records apart in `PathNode.seenIn`. */
  private record = 0
  private bytes: Uint8Array = NO_BYTES
  private end = 0
  private rows = 0
  private bad: BadRecord[] = []

  constructor(schema: TableSchema, options: DecoderOptions) {
    this.schema = schema
    this.maxRecordBytes = options.maxRecordBytes
    this.firstWins = options.validate === 'fields'
    const { root, leaves } = pathTree(schema)
    this.root = root
    this.leaves = leaves
    this.states = leaves.map(() => UNSEEN)
  }

  decode(records: RecordBatch): DecodedBatch {
    const recordOf = new Int32Array(records.count)
    this.bytes = records.arena
    this.rows = 0
    this.bad = []
    for (let record = 0; record < records.count; record++) {
      const length = records.valueLength[record] as number
      if (length < 0) this.reject(record, 'nullValue')
      else if (length > this.maxRecordBytes) this.reject(record, 'tooLarge')
      else if (this.decodeRecord(record, records.valueStart[record] as number, length)) recordOf[this.rows++] = record
    }
    const columns = this.leaves.map((leaf): Column => leaf.builder.finish())
    const { schema, rows: length, bad } = this
    this.bytes = NO_BYTES
    const origin = { records, recordOf: recordOf.subarray(0, length) }
    return { rows: { schema, columns, length, selection: null, origin }, bad }
  }

  /** Whether the record became a row. */
  private decodeRecord(record: number, start: number, length: number): boolean {
    this.end = start + length
    this.record = (this.record + 1) | 0
    this.unseen = this.leaves.length + (this.firstWins ? 0 : 1)
    const at = this.readRoot(start)
    if (at >= 0) return this.finishRow(record)
    this.dropRow()
    this.reject(record, at === INVALID_JSON ? 'invalidJson' : at === INVALID_UTF8 ? 'invalidUtf8' : 'notAnObject')
    return false
  }

  private readRoot(start: number): number {
    const { bytes, end } = this
    let at = skipWhitespace(bytes, start, end)
    if (at >= end) return INVALID_JSON
    const isObject = bytes[at] === OPEN_BRACE
    at = isObject ? this.readObject(this.root, at + 1, 1) : skipValue(bytes, at, end, 0)
    if (at < 0 || (isObject && this.unseen === 0)) return at
    if (skipWhitespace(bytes, at, end) !== end) return INVALID_JSON
    return isObject ? at : NOT_AN_OBJECT
  }

  /** From behind an opening brace to behind the closing one, or to where the last column was found. */
  private readObject(node: PathNode, at: number, depth: number): number {
    if (depth > MAX_DEPTH) return INVALID_JSON
    const { bytes, end } = this
    let name = node.names.start
    at = skipWhitespace(bytes, at, end)
    if (at < end && bytes[at] === CLOSE_BRACE) return at + 1
    while (at < end && bytes[at] === QUOTE) {
      const predicted = name.next
      let known: KnownName | null
      if (predicted !== null && standsAt(predicted, bytes, at + 1, end)) {
        known = predicted
        at += predicted.bytes.length + 2
      } else {
        const after = skipString(bytes, at + 1, end)
        if (after < 0) return after
        known = node.names.lookUp(name, bytes, at + 1, after - 1, this.nameText)
        at = after
      }
      if (known !== null) name = known
      at = skipColon(bytes, at, end)
      if (at < 0) return at
      const child = known === null ? null : known.child
      at = child === null ? skipValue(bytes, at, end, depth) : this.readMember(child, at, depth)
      if (at < 0 || this.unseen === 0) return at
      if (at < end && bytes[at] !== COMMA) at = skipWhitespace(bytes, at, end)
      if (at >= end) return INVALID_JSON
      if (bytes[at] === CLOSE_BRACE) return at + 1
      if (bytes[at] !== COMMA) return INVALID_JSON
      at++
      if (at < end && bytes[at] !== QUOTE) at = skipWhitespace(bytes, at, end)
    }
    return INVALID_JSON
  }

  private readMember(node: PathNode, at: number, depth: number): number {
    const { leaf } = node
    if (node.below.length === 0) return leaf === null ? INVALID_JSON : this.readLeaf(leaf, at, depth)
    if (node.seenIn === this.record) {
      if (this.firstWins) return skipValue(this.bytes, at, this.end, depth)
      this.forget(node)
    }
    node.seenIn = this.record
    const after = leaf === null ? 0 : this.readLeaf(leaf, at, depth)
    return after < 0 ? after : this.readNested(node, at, depth)
  }

  private readLeaf(leaf: Leaf, at: number, depth: number): number {
    const { bytes, end, states } = this
    if (states[leaf.index] !== UNSEEN) {
      if (this.firstWins) return skipValue(bytes, at, end, depth)
      this.forgetLeaf(leaf)
    }
    const after = this.values.readLeaf(leaf, bytes, at, end, depth)
    states[leaf.index] = this.values.state
    this.unseen--
    return after
  }

  /** Reads the value of a node that columns lie below of. */
  private readNested(node: PathNode, at: number, depth: number): number {
    const first = this.bytes[at]
    if (first === OPEN_BRACE) {
      const after = this.readObject(node, at + 1, depth + 1)
      if (after >= 0) this.settle(node, NULL)
      return after
    }
    this.settle(node, first === LOWER_N ? NULL : WRONG_TYPE)
    return skipValue(this.bytes, at, this.end, depth)
  }

  /** The columns below a node that have not been seen won't be. */
  private settle(node: PathNode, state: LeafState): void {
    for (const { index } of node.below) {
      if (this.states[index] === UNSEEN) {
        this.states[index] = state
        this.unseen--
      }
    }
  }

  /** A later member with the same name replaces an object. */
  private forget(node: PathNode): void {
    for (const leaf of node.below) if (this.states[leaf.index] !== UNSEEN) this.forgetLeaf(leaf)
  }

  private forgetLeaf(leaf: Leaf): void {
    if (this.states[leaf.index] === VALUE) leaf.builder.rollbackTo(this.rows)
    this.states[leaf.index] = UNSEEN
    this.unseen++
  }

  /** Fills in nulls; whether every column has got what it needs. */
  private finishRow(record: number): boolean {
    const { leaves, states } = this
    for (let i = 0; i < states.length; i++) {
      const state = states[i]
      if (state === VALUE) {
        states[i] = UNSEEN
        continue
      }
      const { builder, field } = leaves[i] as Leaf
      if ((state === UNSEEN || state === NULL) && field.nullable) {
        builder.appendNull()
        states[i] = UNSEEN
      } else {
        this.reject(record, reasonOf(state as LeafState), field.name)
        this.dropRow()
        return false
      }
    }
    return true
  }

  private dropRow(): void {
    for (const { builder } of this.leaves) if (builder.length > this.rows) builder.rollbackTo(this.rows)
    this.states.fill(UNSEEN)
  }

  private reject(record: number, reason: BadRecordReason, column = ''): void {
    this.bad.push({ record, reason, column })
  }
}

const reasonOf = (state: LeafState): BadRecordReason =>
  state === WRONG_TYPE ? 'wrongType' : state === OUT_OF_RANGE ? 'outOfRange' : 'missingColumn'
