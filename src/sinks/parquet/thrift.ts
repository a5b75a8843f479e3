/**
 * Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), as far as
 * Parquet's metadata needs it: values are described as data and written at once.
 */
export type ThriftValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'i16' | 'i32' | 'i64'; readonly value: number }
  | { readonly kind: 'binary'; readonly value: Uint8Array }
  | { readonly kind: 'list'; readonly of: ThriftValue['kind']; readonly items: readonly ThriftValue[] }
  | { readonly kind: 'struct'; readonly fields: ThriftFields }

/** Fields by their number, in rising order; what is `null` is left out. */
export type ThriftFields = readonly (readonly [number, ThriftValue | null])[]

/** Values, as fields or items of a list. */
export const bool = (value: boolean): ThriftValue => ({ kind: 'bool', value })
export const i32 = (value: number): ThriftValue => ({ kind: 'i32', value })
export const i16 = (value: number): ThriftValue => ({ kind: 'i16', value })
/** A whole number below 2^53. */
export const i64 = (value: number): ThriftValue => ({ kind: 'i64', value })
export const binary = (value: Uint8Array): ThriftValue => ({ kind: 'binary', value })
export const text = (value: string): ThriftValue => binary(encoder.encode(value))
export const struct = (...fields: ThriftFields): ThriftValue => ({ kind: 'struct', fields })
export const list = (of: ThriftValue['kind'], items: readonly ThriftValue[]): ThriftValue => ({
  kind: 'list',
  of,
  items,
})

const encoder = new TextEncoder()

const TYPE = { bool: 1, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
const FALSE = 2
const LONG_LIST = 15

/** The bytes of a struct. */
export const thriftBytes = (...fields: ThriftFields): Uint8Array => {
  const writer = new CompactWriter()
  writer.struct(fields)
  return writer.bytes()
}

class CompactWriter {
  #bytes: Uint8Array = new Uint8Array(256)
  #length = 0

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  struct(fields: ThriftFields): void {
    let last = 0
    for (const [id, value] of fields) {
      if (value === null) continue
      const type = value.kind === 'bool' && !value.value ? FALSE : TYPE[value.kind]
      const step = id - last
      if (step > 0 && step < 16) this.#byte((step << 4) | type)
      else {
        this.#byte(type)
        this.#signed(id)
      }
      last = id
      // a bool is told by the type of its field
      if (value.kind !== 'bool') this.#value(value)
    }
    this.#byte(0)
  }

  #value(value: ThriftValue): void {
    switch (value.kind) {
      case 'bool':
        return this.#byte(value.value ? TYPE.bool : FALSE)
      case 'i16':
      case 'i32':
      case 'i64':
        return this.#signed(value.value)
      case 'binary':
        return this.#binary(value.value)
      case 'list':
        return this.#list(value.of, value.items)
      case 'struct':
        return this.struct(value.fields)
    }
  }

  #list(of: ThriftValue['kind'], items: readonly ThriftValue[]): void {
    if (items.length < LONG_LIST) this.#byte((items.length << 4) | TYPE[of])
    else {
      this.#byte((LONG_LIST << 4) | TYPE[of])
      this.#unsigned(items.length)
    }
    for (const item of items) this.#value(item)
  }

  #binary(value: Uint8Array): void {
    this.#unsigned(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Zigzag, then seven bits to a byte. By arithmetic: numbers may have more than 32 bits. */
  #signed(value: number): void {
    this.#unsigned(value < 0 ? -value * 2 - 1 : value * 2)
  }

  #unsigned(value: number): void {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128)
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#length + bytes, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
