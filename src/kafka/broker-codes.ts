/** Error codes of Kafka's protocol that Millrace tells apart. */
export const CODE = {
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  networkException: 13,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  outOfOrderSequenceNumber: 45,
  duplicateSequenceNumber: 46,
  invalidProducerEpoch: 47,
  kafkaStorageError: 56,
  unknownProducerId: 59,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  throttlingQuotaExceeded: 89,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const

/** Codes that go away by asking again, after another look at who leads the partition. */
const LEADERSHIP: ReadonlySet<number> = new Set([
  CODE.leaderNotAvailable,
  CODE.notLeaderOrFollower,
  CODE.requestTimedOut,
  CODE.replicaNotAvailable,
  CODE.kafkaStorageError,
  CODE.fencedLeaderEpoch,
  CODE.unknownLeaderEpoch,
  CODE.offsetNotAvailable,
])

/** Codes by which a broker says that it does not know the topic, or not this incarnation of it. */
const TOPIC_UNKNOWN: ReadonlySet<number> = new Set([
  CODE.unknownTopicOrPartition,
  CODE.unknownTopicId,
  CODE.inconsistentTopicId,
])

/** Whether a code goes away by asking whoever leads the partition now. */
export const isLeadershipCode = (code: number): boolean => LEADERSHIP.has(code)
export const isTopicUnknownCode = (code: number): boolean => TOPIC_UNKNOWN.has(code)

const NAMES = new Map<number, string>(Object.entries(CODE).map(([name, code]) => [code, name]))

/** `notLeaderOrFollower (6)`, for messages. */
export const nameOfCode = (code: number): string => `${NAMES.get(code) ?? 'error'} (${code})`
