import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/**
 * One kind of request: its key and version in Kafka's protocol, how it is written and how its answer is read. The
 * versions are the lowest that know topic ids (KIP-516, Kafka 3.1) and leader epochs.
 */
export interface Api<Request, Response> {
  readonly name: string
  readonly key: number
  readonly version: number
  /** Whether headers and bodies carry tagged fields. */
  readonly flexible: boolean
  write(out: WireWriter, request: Request): void
  read(from: WireReader): Response
}

export interface VersionRange {
  readonly key: number
  readonly min: number
  readonly max: number
}

/** Asked first on each connection: what the broker speaks. Version 0 is understood by every broker. */
export const API_VERSIONS: Api<null, { readonly code: number; readonly ranges: readonly VersionRange[] }> = {
  name: 'ApiVersions',
  key: 18,
  version: 0,
  flexible: false,
  write: () => undefined,
  read: from => ({
    code: from.int16(),
    ranges: from.array(() => ({ key: from.int16(), min: from.int16(), max: from.int16() })),
  }),
}

export interface MetadataResponse {
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[]
  readonly topics: readonly {
    readonly code: number
    readonly name: string | null
    readonly id: string
    readonly partitions: readonly {
      readonly code: number
      readonly partition: number
      readonly leader: number
      readonly leaderEpoch: number
    }[]
  }[]
}

const NO_TOPIC_ID = '0'.repeat(32)

export const METADATA: Api<{ readonly topic: string }, MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  version: 12,
  flexible: true,
  write: (out, { topic }) => {
    out
      .compactArray([topic], name => out.uuid(NO_TOPIC_ID).compactString(name).noTags())
      // neither create the topic nor ask who may do what
      .bool(false)
      .bool(false)
      .noTags()
  },
  read: from => {
    from.int32()
    const brokers = from.compactArray(() => {
      const broker = { id: from.int32(), host: from.compactString() ?? '', port: from.int32() }
      from.compactString()
      from.skipTags()
      return broker
    })
    from.compactString()
    from.int32()
    const topics = from.compactArray(() => {
      const topic = { code: from.int16(), name: from.compactString(), id: from.uuid() }
      from.bool()
      const partitions = from.compactArray(() => partitionMetadata(from))
      from.int32()
      from.skipTags()
      return { ...topic, partitions }
    })
    return { brokers, topics }
  },
}

const partitionMetadata = (from: WireReader) => {
  const partition = { code: from.int16(), partition: from.int32(), leader: from.int32(), leaderEpoch: from.int32() }
  for (let replicas = 0; replicas < 3; replicas += 1) from.compactArray(() => from.int32())
  from.skipTags()
  return partition
}

export type Isolation = 'read_committed' | 'read_uncommitted'

/** As requests say it. */
export const isolationLevel = (isolation: Isolation): number => (isolation === 'read_committed' ? 1 : 0)

/** Timestamps with a meaning of their own. */
export const LATEST = -1
export const EARLIEST = -2

export interface ListOffsetsRequest {
  readonly isolation: Isolation
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly leaderEpoch: number
    /** Epoch milliseconds, `LATEST` or `EARLIEST`. */
    readonly timestamp: number
  }[]
}

/** `offset` is -1 where no record has the timestamp or a later one. */
export interface ListedOffset {
  readonly partition: number
  readonly code: number
  readonly offset: number
}

export const LIST_OFFSETS: Api<ListOffsetsRequest, readonly ListedOffset[]> = {
  name: 'ListOffsets',
  key: 2,
  version: 7,
  flexible: true,
  write: (out, { isolation, topic, partitions }) => {
    out
      .int32(-1)
      .int8(isolationLevel(isolation))
      .compactArray([topic], name =>
        out
          .compactString(name)
          .compactArray(partitions, ({ partition, leaderEpoch, timestamp }) =>
            out.int32(partition).int32(leaderEpoch).int64(timestamp).noTags(),
          )
          .noTags(),
      )
      .noTags()
  },
  read: from => {
    from.int32()
    const topics = from.compactArray(() => {
      from.compactString()
      const partitions = from.compactArray(() => {
        const partition = from.int32()
        const code = from.int16()
        from.int64()
        const offset = from.int64()
        from.int32()
        from.skipTags()
        return { partition, code, offset }
      })
      from.skipTags()
      return partitions
    })
    return topics.flat()
  },
}

export const FIND_COORDINATOR: Api<
  { readonly groupId: string },
  { readonly code: number; readonly id: number; readonly host: string; readonly port: number }
> = {
  name: 'FindCoordinator',
  key: 10,
  version: 4,
  flexible: true,
  write: (out, { groupId }) => {
    out
      .int8(0)
      .compactArray([groupId], group => out.compactString(group))
      .noTags()
  },
  read: from => {
    from.int32()
    const found = from.compactArray(() => {
      from.compactString()
      const broker = { id: from.int32(), host: from.compactString() ?? '', port: from.int32() }
      const code = from.int16()
      from.compactString()
      from.skipTags()
      return { ...broker, code }
    })
    return found[0] ?? { code: -1, id: -1, host: '', port: 0 }
  },
}

export interface OffsetCommitRequest {
  readonly groupId: string
  readonly topic: string
  readonly offsets: readonly { readonly partition: number; readonly offset: number }[]
}

/** Commits offsets of a group without members, as tools do that set a group's offsets. Answers the first error code. */
export const OFFSET_COMMIT: Api<OffsetCommitRequest, number> = {
  name: 'OffsetCommit',
  key: 8,
  version: 8,
  flexible: true,
  write: (out, { groupId, topic, offsets }) => {
    out
      .compactString(groupId)
      .int32(-1)
      .compactString('')
      .compactString(null)
      .compactArray([topic], name =>
        out
          .compactString(name)
          .compactArray(offsets, ({ partition, offset }) =>
            out.int32(partition).int64(offset).int32(-1).compactString('').noTags(),
          )
          .noTags(),
      )
      .noTags()
  },
  read: from => {
    from.int32()
    const codes = from.compactArray(() => {
      from.compactString()
      const partitions = from.compactArray(() => {
        from.int32()
        const code = from.int16()
        from.skipTags()
        return code
      })
      from.skipTags()
      return partitions
    })
    return codes.flat().find(code => code !== 0) ?? 0
  },
}

/** Header and body of a request, framed. The client id lets brokers tell who asks. */
export const frameRequest = <Request>(
  api: Api<Request, unknown>,
  request: Request,
  correlationId: number,
  clientId: string,
): Buffer => {
  const out = new WireWriter().int16(api.key).int16(api.version).int32(correlationId).string(clientId)
  if (api.flexible) out.noTags()
  api.write(out, request)
  return out.framed()
}

/** The body of an answer; its correlation id was looked at before. */
export const readResponse = <Response>(api: Api<never, Response>, frame: Buffer): Response => {
  const from = new WireReader(frame)
  from.int32()
  if (api.flexible) from.skipTags()
  return api.read(from)
}
