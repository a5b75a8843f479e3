import { bitWidth, maxHybridBytes, putHybrid } from '../bit-packing.ts'
import type { EncodedPage, PageEncoder } from '../page-encoder.ts'
import { plainLength, putPlain } from '../plain-values.ts'
import { extremes } from './extremes.ts'
import { snappyCompress } from './snappy-compress.ts'
import { valueDictionary } from './value-dictionary.ts'

/** The loops of a writer of Parquet pages in plain TypeScript. */
export const pageEncoder = (): PageEncoder => ({
  bring: values => values,
  extremes,
  plainPage(levels, values) {
    const page = new Uint8Array(levels.length + plainLength(values))
    page.set(levels)
    putPlain(values, page, levels.length)
    return compressed(page)
  },
  indexPage(levels, indices, size) {
    const width = bitWidth(size)
    const page = new Uint8Array(levels.length + 1 + maxHybridBytes(indices.length, width))
    page.set(levels)
    page[levels.length] = width
    const end = putHybrid(indices, width, page, levels.length + 1)
    return compressed(page.subarray(0, end))
  },
  dictionary: valueDictionary,
})

const compressed = (page: Uint8Array): EncodedPage => ({ bytes: snappyCompress(page), plainBytes: page.length })
