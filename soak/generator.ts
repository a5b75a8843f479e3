import { setTimeout as sleep } from 'node:timers/promises'
import { startProducer } from '../scripts/services/producer.mjs'
import { openLoad } from '../test/support/topic-loader.ts'
import { PARTITIONS, valueOf } from './events.ts'

const SETTINGS = { 'batch.size': '131072', 'buffer.memory': '67108864', 'delivery.timeout.ms': '600000' }
/** Records of one partition that are written in a row. */
const RUN_ROWS = 500
const PACE_MS = 50

/** Sends rows until it is told to stop. Kafka's own producer is idempotent: offsets are numbers of rows. */
export const generate = async (args: readonly string[]): Promise<void> => {
  const [brokers = '', topic = ''] = args
  const [backlog = 0, rate = 0, burstRate = 0, burstSeconds = 0] = args.slice(2).map(Number)
  const producer = await startProducer()
  const load = openLoad({ producer: producer.port, brokers, topic }, { compression: 'lz4', settings: SETTINGS })
  const stopping = { asked: false }
  process.once('SIGTERM', () => (stopping.asked = true))
  const sent = new Rows()
  const write = async (rows: number): Promise<void> => {
    // what was numbered is written, also when the stop comes in between
    for (const frame of sent.frames(rows)) {
      await load.write(frame)
      if (stopping.asked) return
    }
  }
  await write(backlog)
  process.stdout.write('{"backlog":true}\n')
  const burst = burstSeconds > 0 ? { rate: burstRate, seconds: burstSeconds } : null
  await pace(write, rate, burst, stopping)
  await load.end()
  await producer.stop()
  process.stdout.write(`${JSON.stringify({ sent: sent.offsets })}\n`)
}

/** Rows so many per second; a burst begins ten seconds after the start. */
const pace = async (
  write: (rows: number) => Promise<void>,
  usual: number,
  burst: { readonly rate: number; readonly seconds: number } | null,
  stopping: { readonly asked: boolean },
): Promise<void> => {
  const startedAt = performance.now()
  let before = startedAt
  let due = 0
  while (!stopping.asked) {
    await sleep(PACE_MS)
    const now = performance.now()
    const bursting = burst !== null && now - startedAt >= 10_000 && now - startedAt < (10 + burst.seconds) * 1000
    due += ((bursting ? burst.rate : usual) * (now - before)) / 1000
    before = now
    const rows = Math.floor(due)
    due -= rows
    await write(rows)
  }
}

/** Turns rows into the producer's frames, partition by partition in turns. */
class Rows {
  readonly offsets = Array.from({ length: PARTITIONS }, () => 0)
  #partition = 0

  #run(count: number): Buffer {
    const partition = this.#partition
    this.#partition = (partition + 1) % PARTITIONS
    let offset = this.offsets[partition] ?? 0
    const buffer = Buffer.allocUnsafe(count * 256)
    let at = 0
    for (const end = offset + count; offset < end; offset += 1) {
      at = buffer.write('R', at) + at
      at = buffer.writeInt32BE(partition, at)
      at = buffer.writeBigInt64BE(-1n, at)
      at = buffer.writeInt32BE(-1, at)
      const length = buffer.write(valueOf(partition, offset), at + 4)
      buffer.writeInt32BE(length, at)
      at = buffer.writeInt32BE(0, at + 4 + length)
    }
    this.offsets[partition] = offset
    return buffer.subarray(0, at)
  }

  *frames(rows: number): Iterable<Buffer> {
    for (let left = rows; left > 0; ) {
      const count = Math.min(left, RUN_ROWS)
      yield this.#run(count)
      left -= count
    }
  }
}
