import type { MessageReader } from './message-encoder.ts'

/** Messages of one batch, from `firstIndex` on, and what tells them from all others. */
export interface PublishedMessages {
  readonly messages: MessageReader
  /** Counts the messages of a batch and sink from 0. */
  readonly firstIndex: number
  /** A message's id is this, a slash and its index: receivers tell repeated messages by it. */
  readonly idPrefix: string
  readonly batchId: number
}

/** What a receiver takes. */
export interface PublisherLimits {
  /** Key and value of one message together. */
  readonly maxMessageBytes: number
}

/**
 * A system that takes messages and can't give them back. Retries what may pass, within limits of its own.
 * Errors: UNKNOWN_TOPIC, RECORD_TOO_LARGE, BROKER_UNREACHABLE, BROKER_TIMEOUT, BROKER_ERROR, LEADER_CHANGED.
 */
export interface MessagePublisher {
  /** For progress and plans: `kafka plays`. */
  readonly description: string
  /** Finds out whether messages would be taken, before a batch is committed. Asks once, so it is cheap when repeated. */
  check(): Promise<PublisherLimits>
  /** Resolves when all of them are safe there, in their order. After an error some of them may be, too. */
  send(published: PublishedMessages): Promise<void>
  close(): Promise<void>
}
