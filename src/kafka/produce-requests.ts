import type { Api } from './requests.ts'
import type { WireReader } from './wire-reader.ts'

/** A producer's name among the brokers, by which they tell a record batch that comes twice. */
export interface ProducerIdentity {
  readonly id: number
  readonly epoch: number
}

/** Asks for an identity of a producer without transactions; any broker gives one. */
export const INIT_PRODUCER_ID: Api<null, ProducerIdentity & { readonly code: number }> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  flexible: true,
  write: out => {
    // no transactional id, no time limit of a transaction, no identity to go on with
    out.compactString(null).int32(0).int64(-1).int16(-1).noTags()
  },
  read: from => {
    from.int32()
    return { code: from.int16(), id: from.int64(), epoch: from.int16() }
  },
}

export interface ProduceRequest {
  readonly topic: string
  /** How long the leader may wait for its replicas. */
  readonly timeoutMs: number
  /** One record batch for each partition. */
  readonly partitions: readonly { readonly partition: number; readonly batch: Uint8Array }[]
}

export interface ProducedPartition {
  readonly partition: number
  readonly code: number
  /** What the broker says about a refusal. */
  readonly message: string | null
}

export interface ProduceResponse {
  readonly partitions: readonly ProducedPartition[]
  /** How long the broker will not listen, as a quota is used up. */
  readonly throttleMs: number
}

const ALL_REPLICAS = -1

/** Adds record batches, safe when all replicas in sync have them. */
export const PRODUCE: Api<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: 0,
  version: 9,
  flexible: true,
  write: (out, { topic, timeoutMs, partitions }) => {
    out
      .compactString(null)
      .int16(ALL_REPLICAS)
      .int32(timeoutMs)
      .compactArray([topic], name =>
        out
          .compactString(name)
          .compactArray(partitions, ({ partition, batch }) => out.int32(partition).compactBytes(batch).noTags())
          .noTags(),
      )
      .noTags()
  },
  read: from => {
    const topics = from.compactArray(() => {
      from.compactString()
      const partitions = from.compactArray(() => producedPartition(from))
      from.skipTags()
      return partitions
    })
    return { partitions: topics.flat(), throttleMs: from.int32() }
  },
}

const producedPartition = (from: WireReader): ProducedPartition => {
  const produced = { partition: from.int32(), code: from.int16() }
  // where the records lie now, and when they came there
  for (let field = 0; field < 3; field += 1) from.int64()
  from.compactArray(() => {
    from.int32()
    from.compactString()
    from.skipTags()
  })
  const message = from.compactString()
  from.skipTags()
  return { ...produced, message }
}
