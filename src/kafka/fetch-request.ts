import { type Api, type Isolation, isolationLevel } from './requests.ts'
import type { WireReader } from './wire-reader.ts'

/** What is asked of one partition. */
export interface PartitionFetch {
  readonly partition: number
  readonly leaderEpoch: number
  readonly offset: number
  readonly maxBytes: number
}

/** Records of partitions of one topic that a broker leads. */
export interface FetchRequest {
  readonly isolation: Isolation
  readonly topicId: string
  /** How long the broker may wait for a first byte. */
  readonly maxWaitMs: number
  /**
   * Filled in this order until the bytes of all together are spent. Of the first that has records the broker sends one
   * whole batch at least, even if that is larger; of others whole batches or nothing.
   */
  readonly partitions: readonly PartitionFetch[]
}

/** A transaction that was rolled back, from where its records may appear on. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchedPartition {
  readonly partition: number
  readonly code: number
  readonly highWatermark: number
  readonly aborted: readonly AbortedTransaction[]
  /** Where the record batches lie in the response. */
  readonly records: { readonly start: number; readonly end: number }
}

export interface FetchResponse {
  readonly code: number
  readonly partitions: readonly FetchedPartition[]
}

export const FETCH: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  version: 13,
  flexible: true,
  write: (out, { isolation, topicId, partitions, maxWaitMs }) => {
    out
      .int32(-1)
      .int32(maxWaitMs)
      .int32(1)
      .int32(partitions.reduce((sum, { maxBytes }) => sum + maxBytes, 0))
      .int8(isolationLevel(isolation))
      // no fetch session: each request says all
      .int32(0)
      .int32(-1)
      .compactArray([topicId], id =>
        out
          .uuid(id)
          .compactArray(partitions, ({ partition, leaderEpoch, offset, maxBytes }) =>
            out.int32(partition).int32(leaderEpoch).int64(offset).int32(-1).int64(-1).int32(maxBytes).noTags(),
          )
          .noTags(),
      )
      .compactArray([], () => undefined)
      .compactString('')
      .noTags()
  },
  read: from => {
    from.int32()
    const code = from.int16()
    from.int32()
    const topics = from.compactArray(() => {
      from.uuid()
      const partitions = from.compactArray(() => fetchedPartition(from))
      from.skipTags()
      return partitions
    })
    return { code, partitions: topics.flat() }
  },
}

const fetchedPartition = (from: WireReader): FetchedPartition => {
  const partition = from.int32()
  const code = from.int16()
  const highWatermark = from.int64()
  // last stable offset, log start offset
  from.int64()
  from.int64()
  const aborted = from.compactArray(() => {
    const transaction = { producerId: from.int64(), firstOffset: from.int64() }
    from.skipTags()
    return transaction
  })
  from.int32()
  const records = from.compactBytes()
  from.skipTags()
  return { partition, code, highWatermark, aborted, records }
}
