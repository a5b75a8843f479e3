import { type Random, seededRandom } from '../../src/base/random.ts'
import type { LoadRecord } from './topic-loader.ts'

/** A record that somebody may send, and what must become of it. */
export interface HostileRecord {
  readonly record: LoadRecord
  /** `null` where it is fit to land, otherwise why it goes to the dead letters. */
  readonly reason: string | null
}

type Maker = (id: number, random: Random) => Pick<LoadRecord, 'key' | 'value' | 'headers' | 'timestamp'>

const TIME = 1_768_471_200_000
const text = (id: number, more = ''): string => `{"id":${id},"at":${TIME + id},"note":"n${id}"${more}}`
const bytes = (...parts: readonly (string | number)[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))))
const nested = (depth: number): string => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`

/** Strange, and fit to land. */
const FIT: readonly Maker[] = [
  id => ({ value: text(id) }),
  id => ({ key: null, value: text(id) }),
  id => ({ key: '', value: text(id), timestamp: 0 }),
  id => ({ key: Buffer.of(0, 255, 254), value: text(id) }),
  id => ({
    value: text(id),
    headers: [
      ['h', 'one'],
      ['h', 'two'],
      ['h', null],
      ['', ''],
    ],
  }),
  id => ({ value: text(id), timestamp: Date.UTC(2999, 0) }),
  id => ({ value: `{"id":${id},"at":${Date.UTC(9999, 0)},"note":"n${id}"}` }),
  id => ({ value: text(id, ',"__proto__":{"id":-1,"polluted":true},"constructor":{"prototype":{"polluted":true}}') }),
  id => ({ value: text(id, `,"more":${nested(200)}`) }),
  (id, random) => ({ value: text(id, `,"more":"${'x'.repeat(Math.floor(random.next() * 300_000))}"`) }),
  id => ({ value: `{"id":${id},"at":${TIME},"note":"\\u0000\\ud83d\\ude00 \\u0001"}` }),
  id => ({ value: `  \n\t{ "note" : null , "at":${TIME}.0 , "id":${id} }\r\n` }),
]

/** What can't become a row, by reason. */
const UNFIT: Readonly<Record<string, readonly Maker[]>> = {
  nullValue: [() => ({ value: null }), () => ({ key: 'k', value: null })],
  invalidJson: [
    () => ({ value: '' }),
    () => ({ value: Buffer.alloc(64) }),
    id => ({ value: text(id).slice(0, -2) }),
    id => ({ value: `${text(id)}${text(id)}` }),
    id => ({ value: text(id, `,"more":${'['.repeat(100_000)}`) }),
    id => ({ value: text(id, `,"more":${nested(5000)}`) }),
    id => ({ value: `{"id":0x${id},"at":1}` }),
  ],
  invalidUtf8: [id => ({ value: bytes(`{"id":${id},"at":1,"note":"`, 0xff, 0xc0, 0x80, '"}') })],
  notAnObject: [() => ({ value: 'null' }), () => ({ value: '"__proto__"' }), () => ({ value: '[{"id":1}]' })],
  missingColumn: [() => ({ value: '{}' }), () => ({ value: '{"__proto__":{"id":1,"at":1}}' })],
  wrongType: [() => ({ value: '{"id":{"toString":1},"at":1}' }), id => ({ value: `{"id":${id},"at":true}` })],
  outOfRange: [() => ({ value: '{"id":1e300,"at":1}' }), () => ({ value: `{"id":${'9'.repeat(400)},"at":1}` })],
  tooLarge: [id => ({ value: text(id, `,"more":"${'y'.repeat(900_000)}"`) })],
}

/** A corpus: fit and unfit records in an order drawn from the seed, each kind at least once where there is room. */
export const hostileRecords = (seed: number, count: number, firstId: number): readonly HostileRecord[] => {
  const random = seededRandom(seed)
  const unfit = Object.entries(UNFIT).flatMap(([reason, makers]) => makers.map(make => ({ make, reason })))
  const kinds = [...FIT.map(make => ({ make, reason: null })), ...unfit]
  return Array.from({ length: count }, (_, at) => {
    const kind = kinds[at < kinds.length ? (at * 7) % kinds.length : Math.floor(random.next() * FIT.length)]
    if (kind === undefined) throw new TypeError('there are kinds')
    return { record: { timestamp: TIME, ...kind.make(firstId + at, random) }, reason: kind.reason }
  })
}
