import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Field } from '../../../src/columnar/schema.ts'
import { decode, decodeOne, FIELDS, fieldOf, fieldsOf, ROW, valuesOf } from './fixtures/json-records.ts'

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What JSON.parse says about the bytes. */
const parsed = (bytes: Uint8Array): { readonly value: unknown } | null => {
  try {
    return { value: JSON.parse(strict.decode(bytes)) }
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const NAMES = ['a', 'b', 'c', 'device', 'type', '__proto__', 'constructor', 'toString', '', 'é', 'a b', '💡'] as const
const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.string() })
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud83d\ude00', '"\\/\b\f\n\r\t', '\u0000'),
)
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -100_000, max: 100_000 }).map(value => value / 1000),
)
const { tree: value } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(number, text, fc.boolean(), fc.constant(null)),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('tree')), { maxLength: 6 }).map(entries => new Members(entries)),
  ),
}))

/** An object as a list of members, so that names can repeat and `__proto__` is a name like others. */
class Members {
  readonly entries: readonly (readonly [string, unknown])[]

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries
  }
}

const record = fc.array(fc.tuple(name, value), { maxLength: 8 }).map(entries => new Members(entries))

/** Writes JSON with the white space and the escapes that `chance` deals. */
const write = (tree: unknown, chance: () => number): string => {
  const gap = () => ['', '', '', ' ', '\n\t', '\r '][chance() % 6] ?? ''
  const quoted = (plain: string) =>
    JSON.stringify(plain).replace(/[a-z/\u0080-\uffff](?!\w{0,3}")/gu, letter =>
      chance() % 8 === 0 ? escaped(letter) : letter,
    )
  const inner = (node: unknown): string => {
    if (node instanceof Members) {
      return `{${gap()}${node.entries.map(([key, child]) => `${quotedKey(key)}${gap()}:${gap()}${inner(child)}`).join(`${gap()},${gap()}`)}${gap()}}`
    }
    if (Array.isArray(node)) return `[${gap()}${node.map(inner).join(`${gap()},${gap()}`)}${gap()}]`
    return typeof node === 'string' ? quotedKey(node) : JSON.stringify(node)
  }
  const quotedKey = (plain: string) =>
    /[\\"]/.test(JSON.stringify(plain).slice(1, -1)) ? JSON.stringify(plain) : quoted(plain)
  return `${gap()}${inner(tree)}${gap()}`
}

const escaped = (letter: string): string =>
  letter === '/'
    ? '\\/'
    : Array.from({ length: letter.length }, (_, i) => `\\u${letter.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
        '',
      )

const chances = fc.infiniteStream(fc.nat({ max: 1000 })).map(stream => () => stream.next().value as number)
const recordText = fc.tuple(record, chances).map(([members, chance]) => write(members, chance))
const valueText = fc.tuple(value, chances).map(([tree, chance]) => write(tree, chance))

const SCHEMA: readonly Field[] = fieldsOf({
  a: 'json?',
  'device.type': 'json?',
  'b.c.a': 'json?',
  'b.c': 'json?',
  é: 'json?',
  '💡': 'json?',
}).concat(fieldOf('__proto__', 'json?'), fieldOf('constructor', 'json?'))

/** The value at a path as JSON.parse shows it; undefined where an object is missing or null on the way. */
const at = (root: unknown, path: string): unknown => {
  let node: unknown = root
  for (const step of path.split('.')) {
    if (node === null || node === undefined) return undefined
    if (!isObject(node)) return WRONG
    node = Object.hasOwn(node, step) ? node[step] : undefined
  }
  return node
}
const WRONG = Symbol('wrong type')

/** What the decoder must answer for a text that has these columns. */
const expected = (root: unknown, fields: readonly Field[]): unknown[] => {
  if (!isObject(root)) return ['notAnObject', '']
  const values = fields.map(field => at(root, field.name))
  const wrong = values.indexOf(WRONG)
  if (wrong >= 0) return ['wrongType', fields[wrong]?.name]
  return values.map(found => found ?? null)
}

/** Raw JSON columns made comparable. */
const comparable = (answer: unknown[], bad: boolean): unknown[] =>
  bad ? answer : answer.map(raw => (raw === null ? null : JSON.parse(String(raw))))

const check = (bytes: Uint8Array, fields = SCHEMA): void => {
  const oracle = parsed(bytes)
  const { rows, bad } = decode(fields, ['{"a":1}', bytes, '{"a":2}'])
  const fault = bad[0]
  if (oracle === null) {
    expect(['invalidJson', 'invalidUtf8']).toContain(fault?.reason)
  } else {
    const answer = fault === undefined ? rows.columns.map(column => valuesOf(column)[1]) : [fault.reason, fault.column]
    expect(comparable(answer, fault !== undefined)).toEqual(expected(oracle.value, fields))
  }
  const neighbours = valuesOf(rows.columns[0])
  expect([neighbours[0], neighbours.at(-1), rows.length]).toEqual(['1', '2', fault === undefined ? 3 : 2])
}

describe('the verdict and the values of JSON.parse', () => {
  it('holds for records of any shape, with any white space, escapes, repeated and odd names', () => {
    fc.assert(
      fc.property(recordText, json => check(encoder.encode(json))),
      { numRuns: 1500 },
    )
  })

  it('holds for values that are not objects', () => {
    fc.assert(fc.property(valueText, json => check(encoder.encode(json))))
  })

  it('holds for texts cut off, with bytes changed, put in or taken out', () => {
    const edit = fc.record({
      kind: fc.constantFrom('cut', 'flip', 'insert', 'delete', 'set'),
      place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      byte: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...encoder.encode('"\\{}[],:-+.eE0123456789 \n\t\rtfnu'))),
    })
    fc.assert(
      fc.property(recordText, fc.array(edit, { minLength: 1, maxLength: 3 }), (json, edits) => {
        let bytes = [...encoder.encode(json)]
        for (const { kind, place, byte } of edits) {
          const i = Math.floor(place * bytes.length)
          if (kind === 'cut') bytes = bytes.slice(0, i)
          if (kind === 'flip') bytes[i] = (bytes[i] ?? 0) ^ (1 << (byte & 7))
          if (kind === 'insert') bytes.splice(i, 0, byte)
          if (kind === 'delete') bytes.splice(i, 1)
          if (kind === 'set') bytes[i] = byte
        }
        check(Uint8Array.from(bytes))
      }),
      { numRuns: 4000 },
    )
  })

  it('holds for maps of texts, wherever one byte of them is another', () => {
    const letters = fc.string({ maxLength: 30, unit: 'grapheme-ascii' })
    const members = fc.array(fc.tuple(letters, letters), { minLength: 1, maxLength: 12 })
    const byte = fc.constantFrom(...encoder.encode('"\\{}[],: x\n\u0000'), 0x80, 0xff)
    fc.assert(
      fc.property(members, byte, fc.nat(), (texts, other, at) => {
        const map = texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')
        const bytes = encoder.encode(`{"a":{${map}},"x":{${map}}}`)
        check(bytes)
        bytes[at % bytes.length] = other
        check(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  it('holds for arbitrary bytes within a string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), inside => {
        check(Uint8Array.from([...encoder.encode('{"x":"'), ...inside, ...encoder.encode('"}')]))
      }),
      { numRuns: 2000 },
    )
  })

  it('holds for arbitrary text in the place of a number', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'0123456789-+.eE'), minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(letters, literal => {
        check(encoder.encode(`{"x":${literal}}`))
        const oracle = parsed(encoder.encode(`{"x":${literal}}`))
        const [answer] = decodeOne(fieldsOf({ x: 'float64' }), `{"x":${literal}}`)
        expect(answer).toBe(oracle === null ? 'invalidJson' : (oracle.value as { x: number }).x)
      }),
      { numRuns: 3000 },
    )
  })

  it('holds for strings, also with lone surrogates, which become U+FFFD', () => {
    const unit = fc.nat({ max: 0xffff }).map(code => `\\u${code.toString(16).padStart(4, '0')}`)
    const surrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map(code => `\\u${code.toString(16).toUpperCase()}`)
    const part = fc.oneof(unit, surrogate, fc.constantFrom('\\n', '\\/', '\\"', 'x', 'é', '😀'))
    fc.assert(
      fc.property(fc.array(part), parts => {
        const json = `{"x":"${parts.join('')}"}`
        const oracle = strict.decode(encoder.encode((JSON.parse(json) as { x: string }).x))
        expect(decodeOne(fieldsOf({ x: 'string' }), json)).toEqual([oracle])
      }),
      { numRuns: 1000 },
    )
  })

  it('reads doubles of every length to the same bits', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 22 })
    const literal = fc
      .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.option(fc.integer({ min: -340, max: 320 })))
      .map(([sign, whole, fraction, exponent]) =>
        [
          sign,
          whole.replace(/^0+(?=\d)/, ''),
          fraction === null ? '' : `.${fraction}`,
          exponent === null ? '' : `e${exponent}`,
        ].join(''),
      )
    const column = fieldsOf({ x: 'float64' })
    fc.assert(
      fc.property(fc.oneof(literal, number.map(String)), digitsText => {
        expect(decodeOne(column, `{"x":${digitsText}}`)).toEqual([Number(digitsText)])
      }),
      { numRuns: 5000 },
    )
  })
})

describe('stopping at the last column', () => {
  it('gives the same values as reading the whole record where names do not repeat', () => {
    const unique = fc
      .uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([key]) => key })
      .map(entries => new Members(entries))
    const nestedUnique = fc.tuple(unique, chances).map(([members, chance]) => write(members, chance))
    fc.assert(
      fc.property(nestedUnique, json => {
        const columns = fieldsOf({ a: 'json?', b: 'json?', é: 'json' })
        expect(decodeOne(columns, json, FIELDS)).toEqual(decodeOne(columns, json, ROW))
      }),
    )
  })

  it('does not look at what follows', () => {
    expect(decodeOne(fieldsOf({ a: 'int32', b: 'int32' }), '{"b":1,"a":2 garbage', FIELDS)).toEqual([2, 1])
    expect(decodeOne(fieldsOf({ 'a.b': 'int32' }), '{"a":{"b":2 garbage', FIELDS)).toEqual([2])
    expect(decodeOne(fieldsOf({ a: 'int32', b: 'int32?' }), '{"a":2} garbage', FIELDS)).toEqual(['invalidJson', ''])
  })

  it('takes the first of members with the same name, and the last where the whole record is read', () => {
    const columns = fieldsOf({ a: 'int32', 'd.t': 'int32?', z: 'int32?' })
    const json = '{"a":1,"d":{"t":1},"a":2,"d":{},"a":3}'
    expect(decodeOne(columns, json, FIELDS)).toEqual([1, 1, null])
    expect(decodeOne(columns, json, ROW)).toEqual([3, null, null])
    expect(decodeOne(columns, '{"a":1,"a":"x"}', ROW)).toEqual(['wrongType', 'a'])
    expect(decodeOne(columns, '{"a":"x","a":1}', ROW)).toEqual([1, null, null])
    expect(decodeOne(columns, '{"d":{},"a":1,"d":{"t":5}}', FIELDS)).toEqual([1, null, null])
  })
})
