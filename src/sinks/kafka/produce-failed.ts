import { MillraceError } from '../../base/errors.ts'

/** What is read of an error of the client's. */
interface ClientError {
  readonly name?: unknown
  readonly type?: unknown
  readonly message?: unknown
  readonly retriable?: unknown
  readonly cause?: unknown
}

const CONNECTION_ERRORS: ReadonlySet<unknown> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
])
/** A producer whose place in its sequence the broker has lost: another one can go on. */
const LOST_SEQUENCE: ReadonlySet<unknown> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
])
const TOO_LARGE: ReadonlySet<unknown> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** Where something was to be sent. */
interface Destination {
  readonly topic: string
  readonly brokers: readonly string[]
}

/** The error of ours that one of the client's comes down to. */
export const produceFailed = (thrown: unknown, to: Destination): MillraceError => {
  if (thrown instanceof MillraceError) return thrown
  const error = rootOf(thrown)
  const details = { topic: to.topic }
  const message = `topic ${to.topic} can't be written: ${String(error.message ?? error)}`
  if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new MillraceError('UNKNOWN_TOPIC', `topic ${to.topic}, which the pipeline writes, does not exist`, {
      remedy: 'Check the name and the brokers, or create the topic; Millrace never creates it.',
      details,
      cause: thrown,
    })
  }
  if (TOO_LARGE.has(error.type)) {
    return new MillraceError('RECORD_TOO_LARGE', message, {
      remedy: 'Raise max.message.bytes of the topic, or lower kafka.maxRequestBytes; the rows wait in the outbox.',
      details,
      cause: thrown,
    })
  }
  if (error.name === 'KafkaJSRequestTimeoutError' || error.type === 'REQUEST_TIMED_OUT') {
    return new MillraceError('BROKER_TIMEOUT', message, {
      remedy: 'Check the network and the brokers; raise kafka.requestTimeout if they are only slow.',
      details,
      cause: thrown,
    })
  }
  if (CONNECTION_ERRORS.has(error.name)) {
    return new MillraceError('BROKER_UNREACHABLE', `${message} (brokers ${to.brokers.join(',')})`, {
      remedy: 'Check that Kafka runs and that its advertised listeners can be reached; the rows wait in the outbox.',
      details,
      cause: thrown,
    })
  }
  const passing = error.retriable === true || LOST_SEQUENCE.has(error.type)
  return new MillraceError(passing ? 'LEADER_CHANGED' : 'BROKER_ERROR', message, {
    remedy: 'Check that all brokers run and that the client may write the topic (and, for idempotence, the cluster).',
    details,
    cause: thrown,
  })
}

/** The client wraps what it has retried too often. */
const rootOf = (thrown: unknown): ClientError => {
  let error = Object(thrown) as ClientError
  while (error.name === 'KafkaJSNumberOfRetriesExceeded' && typeof error.cause === 'object' && error.cause !== null) {
    error = error.cause
  }
  return error
}
