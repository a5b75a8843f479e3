import { MillraceError } from '../base/errors.ts'
import type { BinaryColumn } from './column.ts'
import { BuilderBase, type ColumnBuilder, DEFAULT_CAPACITY } from './column-builder-base.ts'
import type { Field } from './schema.ts'

/** Offsets are int32 (Arrow's utf8 and binary layouts), which bounds the bytes of one column of one batch. */
const MAX_BYTES = 0x7fff_ffff
/** From here on a native copy is worth the view object that it takes. */
const NATIVE_COPY_BYTES = 4096

/** Up to here a loop over characters is cheaper than a call of the encoder. */
const SHORT_TEXT = 32

const encoder = new TextEncoder()
const NO_BYTES = new Uint8Array(0)

/** Builds string, json and bytes columns. */
export class BinaryBuilder extends BuilderBase implements ColumnBuilder {
  private readonly kind: BinaryColumn['kind']
  private offsets: Int32Array
  private bytes: Uint8Array
  private view: DataView
  private used = 0
  private source: Uint8Array = NO_BYTES
  private sourceView: DataView = viewOf(NO_BYTES)

  constructor(field: Field, capacity: number = DEFAULT_CAPACITY) {
    super(field)
    this.kind = field.type === 'json' || field.type === 'bytes' ? field.type : 'string'
    this.offsets = new Int32Array(Math.max(1, capacity) + 1)
    this.bytes = new Uint8Array(Math.max(64, capacity * 8))
    this.view = viewOf(this.bytes)
  }

  append(value: unknown): void {
    if (typeof value === 'string' && this.kind !== 'bytes') this.appendText(value)
    else if (value instanceof Uint8Array && this.kind === 'bytes') this.appendBytes(value, 0, value.length)
    else if (value === null || value === undefined) this.appendNull()
    else throw this.rejected(value)
  }

  /** Takes a string; a lone surrogate becomes U+FFFD. */
  appendText(text: string): void {
    this.reserve(text.length * 3)
    if (text.length <= SHORT_TEXT && this.appendedAscii(text)) return
    const free = this.used === 0 ? this.bytes : this.bytes.subarray(this.used)
    const { written } = encoder.encodeInto(text, free)
    this.markValid()
    this.endRow(this.used + written)
  }

  /** Takes a text of ASCII characters; answers false, with nothing taken, where it holds others. */
  private appendedAscii(text: string): boolean {
    const { bytes, used } = this
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at)
      if (unit >= 0x80) return false
      bytes[used + at] = unit
    }
    this.markValid()
    this.endRow(used + text.length)
    return true
  }

  /** Copies source[start, end); for string and json columns it must be UTF-8, unchecked. */
  appendBytes(source: Uint8Array, start: number, end: number): void {
    const count = end - start
    this.reserve(count)
    if (count >= NATIVE_COPY_BYTES) this.bytes.set(source.subarray(start, end), this.used)
    else this.copyShort(source, start, count)
    this.markValid()
    this.endRow(this.used + count)
  }

  /** Forgets the array last copied from, so that it can be freed. */
  finish(): BinaryColumn {
    const { length } = this
    const offsets = this.offsets.slice(0, length + 1)
    const bytes = this.bytes.slice(0, this.used)
    const validity = this.takeValidity()
    this.length = 0
    this.used = 0
    this.source = NO_BYTES
    this.sourceView = viewOf(NO_BYTES)
    return { kind: this.kind, length, validity, offsets, bytes }
  }

  override rollbackTo(length: number): void {
    super.rollbackTo(length)
    this.used = this.offsets[length] as number
  }

  protected addNull(): void {
    this.markNull()
    this.endRow(this.used)
  }

  private endRow(used: number): void {
    const next = this.length + 1
    if (next >= this.offsets.length) {
      const grown = new Int32Array(next * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    this.offsets[next] = used
    this.used = used
    this.length = next
  }

  /** Word by word through data views: no view object per value, and faster than byte by byte. */
  private copyShort(source: Uint8Array, start: number, count: number): void {
    if (source !== this.source) {
      this.source = source
      this.sourceView = viewOf(source)
    }
    const from = this.sourceView
    const to = this.view
    const at = this.used
    const words = count & ~3
    let i = 0
    for (const blocks = count & ~15; i < blocks; i += 16) {
      to.setInt32(at + i, from.getInt32(start + i, true), true)
      to.setInt32(at + i + 4, from.getInt32(start + i + 4, true), true)
      to.setInt32(at + i + 8, from.getInt32(start + i + 8, true), true)
      to.setInt32(at + i + 12, from.getInt32(start + i + 12, true), true)
    }
    for (; i < words; i += 4) to.setInt32(at + i, from.getInt32(start + i, true), true)
    for (; i < count; i++) this.bytes[at + i] = source[start + i] as number
  }

  private reserve(count: number): void {
    const needed = this.used + count
    if (needed > this.bytes.length) this.growBytes(needed)
  }

  private growBytes(needed: number): void {
    if (needed > MAX_BYTES) {
      throw new MillraceError('STAGE_FAILED', `column ${this.field.name} holds more than 2 GiB in one batch`, {
        remedy: 'Make batches smaller (maxOffsetsPerTrigger), or leave this column out of the schema.',
        details: { column: this.field.name },
      })
    }
    const grown = new Uint8Array(Math.min(MAX_BYTES, needed * 2))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
    this.view = viewOf(grown)
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
