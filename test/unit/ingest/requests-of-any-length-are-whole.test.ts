import fc from 'fast-check'
import { expect, it } from 'vitest'
import { WireReader } from '../../../src/kafka/wire-reader.ts'
import { WireWriter } from '../../../src/kafka/wire-writer.ts'

/** One partition of a request: what ListOffsets and Fetch say of each. */
const partition = fc.record({
  index: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  offset: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  small: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  flag: fc.boolean(),
  name: fc.string({ unit: 'grapheme', maxLength: 40 }),
})

it('what a request says is read back, however many partitions it names', () => {
  fc.assert(
    fc.property(fc.array(partition, { maxLength: 200 }), partitions => {
      const writer = new WireWriter()
      writer.compactArray(partitions, ({ index, offset, small, flag, name }) => {
        writer.int32(index).int64(offset).int16(small).bool(flag).compactString(name).noTags()
      })
      const frame = writer.framed()
      expect(frame.readInt32BE(0)).toBe(frame.length - 4)
      const reader = new WireReader(frame.subarray(4))
      const read = reader.compactArray(() => {
        const row = {
          index: reader.int32(),
          offset: reader.int64(),
          small: reader.int16(),
          flag: reader.bool(),
          name: reader.compactString(),
        }
        reader.skipTags()
        return row
      })
      expect(read).toEqual(partitions)
    }),
  )
})
