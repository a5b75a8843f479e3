import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { ByteWriter } from '../../src/ingest/datagen/byte-writer.ts'
import { eventsOf, type GeneratedLoad } from './topic-loader.ts'

/** Writes the events of a generated topic as lines of JSON, for an oracle that never saw the topic. */
export const writeEvents = async (file: string, load: GeneratedLoad): Promise<void> => {
  const { partitions, rowsPerPartition } = load
  const events = eventsOf(load)
  const out = createWriteStream(file, { highWaterMark: 4 * 1024 * 1024 })
  const chunk = new ByteWriter(1024 * 1024)
  for (let partition = 0; partition < partitions; partition += 1) {
    for (let offset = 0; offset < rowsPerPartition; offset += 1) {
      events.write(chunk, partition, offset)
      chunk.bytes[chunk.length++] = 10
      if (chunk.length < 900_000) continue
      if (!out.write(Buffer.from(chunk.bytes.subarray(0, chunk.length)))) await once(out, 'drain')
      chunk.length = 0
    }
  }
  out.end(Buffer.from(chunk.bytes.subarray(0, chunk.length)))
  await finished(out)
}
