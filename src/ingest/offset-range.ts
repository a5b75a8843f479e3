import type { Offset } from '../base/units.ts'

export interface PartitionName {
  readonly topic: string
  readonly partition: number
}

/** A run of offsets of one partition: `from` inclusive, `until` exclusive. The split that a streaming task reads. */
export interface OffsetRange extends PartitionName {
  readonly from: Offset
  readonly until: Offset
}

/** A partition by name, as a key for maps: `plays/3`. */
export const partitionKey = ({ topic, partition }: PartitionName): string => `${topic}/${partition}`

/** Finds what there is of a partition. */
export const findByPartition = <Each extends PartitionName>(
  all: readonly Each[],
): ((of: PartitionName) => Each | undefined) => {
  const byKey = new Map(all.map(each => [partitionKey(each), each]))
  return of => byKey.get(partitionKey(of))
}
