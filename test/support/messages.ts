import { MessageReader } from '../../src/sinks/message-encoder.ts'

export interface Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Messages as they lie in the outbox, written independently of what reads them. */
export const messagesOf = (messages: readonly Message[]): MessageReader =>
  new MessageReader(
    Buffer.concat(
      messages.flatMap(({ key, value }) => {
        const lengths = Buffer.alloc(8)
        lengths.writeInt32BE(key?.length ?? -1, 0)
        lengths.writeInt32BE(value?.length ?? -1, 4)
        return [lengths, key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]
      }),
    ),
  )
