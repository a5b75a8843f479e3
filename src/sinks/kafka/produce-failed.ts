import { asMillraceError, type ErrorDetails, MillraceError } from '../../base/errors.ts'
import { CODE, isLeadershipCode, isTopicUnknownCode, nameOfCode } from '../../kafka/broker-codes.ts'
import type { ProducedPartition } from '../../kafka/produce-requests.ts'

/** Codes of a broker that does not know where a producer stands in its sequence, or who it is. */
const LOST_SEQUENCE: ReadonlySet<number> = new Set([
  CODE.outOfOrderSequenceNumber,
  CODE.unknownProducerId,
  CODE.invalidProducerEpoch,
])
/** Codes that go away by sending again; so do those of leaders, and of a topic that the asked broker does not know yet. */
const PASSING: ReadonlySet<number> = new Set([
  ...LOST_SEQUENCE,
  CODE.corruptMessage,
  CODE.networkException,
  CODE.coordinatorLoadInProgress,
  CODE.coordinatorNotAvailable,
  CODE.notEnoughReplicas,
  CODE.notEnoughReplicasAfterAppend,
  CODE.throttlingQuotaExceeded,
])
const TOO_LARGE: ReadonlySet<number> = new Set([CODE.messageTooLarge, CODE.recordListTooLarge])

const MAX_BROKER_MESSAGE = 200

/** Whether another producer has to go on. */
export const isLostSequence = (code: number): boolean => LOST_SEQUENCE.has(code)

/** A broker did not take the records of a partition; `null`: it says nothing of them. */
export const refused = (topic: string, partition: number, answer: ProducedPartition | null): MillraceError => {
  const details = { topic, partition }
  const said = answer?.message === null ? '' : `, ${answer?.message.slice(0, MAX_BROKER_MESSAGE)}`
  const why = answer === null ? 'the broker does not answer for it' : `${nameOfCode(answer.code)}${said}`
  return refusal(topic, `partition ${partition}: ${why}`, answer?.code ?? -1, details)
}

/** A broker did not name the producer. */
export const producerRefused = (topic: string, code: number): MillraceError =>
  refusal(topic, `no producer id: ${nameOfCode(code)}`, code, { topic })

/** Nobody leads the partitions now. */
export const noLeader = (topic: string, partitions: readonly number[]): MillraceError =>
  refusal(topic, `partition ${partitions.join(', ')} has no leader`, CODE.leaderNotAvailable, { topic })

const refusal = (topic: string, why: string, code: number, details: ErrorDetails): MillraceError => {
  const message = `topic ${topic} can't be written: ${why}`
  if (TOO_LARGE.has(code)) {
    const remedy = 'Raise max.message.bytes of the topic, or lower kafka.maxRequestBytes; the rows wait in the outbox.'
    return new MillraceError('RECORD_TOO_LARGE', message, { remedy, details })
  }
  if (code === CODE.requestTimedOut) {
    const remedy = 'Check the network and the brokers; raise kafka.requestTimeout if they are only slow.'
    return new MillraceError('BROKER_TIMEOUT', message, { remedy, details })
  }
  const passing = PASSING.has(code) || isLeadershipCode(code) || isTopicUnknownCode(code)
  return new MillraceError(passing ? 'LEADER_CHANGED' : 'BROKER_ERROR', message, {
    remedy: 'Check that all brokers run and that the client may write the topic (and, for idempotence, the cluster).',
    details,
  })
}

/** The error that ends the pipeline, in the words of whoever writes a topic. */
export const produceFailed = (thrown: unknown, topic: string): MillraceError => {
  const error = asMillraceError(thrown)
  const about = { details: { ...error.details, topic }, cause: error }
  switch (error.code) {
    case 'UNKNOWN_TOPIC':
      return new MillraceError('UNKNOWN_TOPIC', `topic ${topic}, which the pipeline writes, does not exist`, {
        remedy: 'Check the name and the brokers, or create the topic; Millrace never creates it.',
        ...about,
      })
    case 'BROKER_UNREACHABLE':
    case 'BROKER_TIMEOUT':
      return new MillraceError(error.code, `topic ${topic} can't be written: ${error.message}`, {
        remedy: `${error.remedy} Committed rows wait in the outbox.`,
        ...about,
      })
    default:
      return error
  }
}
