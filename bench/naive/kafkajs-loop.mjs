// What a team writes today: kafkajs, JSON.parse and a Map: plays and seconds watched by title and 10 s.
//   node bench/naive/kafkajs-loop.mjs <brokers> <topic> <events>      reads so many events and ends
import kafkajs from 'kafkajs'
import { GrowingArena } from '../../dist/columnar/growing-arena.js'
import { decompressLz4 } from '../../dist/columnar/typescript/lz4.js'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
const MAX_BYTES = 64 * 1024 * 1024
// kafkajs can't read lz4 by itself: it is lent our decoder
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  decompress: async buffer => {
    const arena = new GrowingArena(buffer.length * 4)
    const outcome = decompressLz4(buffer, 0, buffer.length, arena, MAX_BYTES)
    if (outcome !== 'done') throw new Error(outcome)
    return Buffer.from(arena.bytes.buffer, arena.bytes.byteOffset, arena.length)
  },
})

const [brokers, topic, events] = process.argv.slice(2)
const windows = new Map()
let read = 0

const kafka = new Kafka({ clientId: 'naive', brokers: [brokers], logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `naive-${process.pid}` })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  void consumer.run({
    eachMessage: async ({ message }) => {
      const event = JSON.parse(message.value.toString())
      const key = `${Math.floor(event.event_time / 10_000)}/${event.content_id}`
      const group = windows.get(key) ?? { plays: 0, watched: 0 }
      group.plays += 1
      group.watched += event.watch_duration ?? 0
      windows.set(key, group)
      read += 1
      if (read === Number(events)) resolve()
    },
  })
})
let plays = 0
for (const group of windows.values()) plays += group.plays
console.log(plays)
process.exit(0)
