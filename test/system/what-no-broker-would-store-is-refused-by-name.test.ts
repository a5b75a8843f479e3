import { readFileSync } from 'node:fs'
import { crc32, crc32c } from '@node-rs/crc32'
import { expect, it } from 'vitest'
import { openDuck } from '../support/duckdb.ts'
import { writeBatch } from '../support/kafka-records.ts'
import { zstdRepeats } from '../support/zstd-frames.ts'
import { pipelineFile, startCli, temporaryFolder } from './support/cli.ts'
import { type Stored, startScriptedBroker } from './support/scripted-broker.ts'

const ROWS = 10
/** What a process may have resident at most, whatever it is told to read. */
const CAP_MB = 400

const recordsOf = (from: number) =>
  Array.from({ length: ROWS }, (_, at) => {
    const id = from + at
    return { key: null, value: Buffer.from(JSON.stringify({ id, at: 1_768_471_200_000 + id })) }
  })
const batchAt = (from: number): Buffer => writeBatch(recordsOf(from), { baseOffset: from })
const good = (from: number): Stored => ({ from, until: from + ROWS, bytes: batchAt(from) })

/** A batch that was changed by somebody who made its checksum fit. */
const resealed = (change: (batch: Buffer) => void): Buffer => {
  const batch = batchAt(ROWS)
  change(batch)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}
const withBody = (codec: number, body: Buffer): Buffer =>
  writeBatch(recordsOf(ROWS), { baseOffset: ROWS, codec, compress: () => body })

/** A message as brokers stored it before 0.11: formats 0 and 1. */
const oldMessage = (magic: 0 | 1): Buffer => {
  const value = recordsOf(ROWS)[0]?.value ?? Buffer.alloc(0)
  const body = Buffer.alloc(2 + 8 * magic + 8)
  body.writeInt8(magic, 0)
  body.writeInt32BE(-1, 2 + 8 * magic)
  body.writeInt32BE(value.length, 6 + 8 * magic)
  const message = Buffer.concat([body, value])
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(BigInt(ROWS), 0)
  head.writeInt32BE(4 + message.length, 8)
  head.writeUInt32BE(crc32(message), 12)
  return Buffer.concat([head, message])
}

const CORRUPT = /CORRUPT_RECORD_BATCH: scripted\/0: the record batch at offset 10 is corrupt/
const OLD = /UNSUPPORTED_RECORD_FORMAT: scripted\/0: records from offset 10 on are in message format/
const TOO_LARGE = /RECORD_TOO_LARGE: scripted\/0: the record batch at offset 10 decompresses to more than/

it.each<[string, RegExp, () => Buffer]>([
  ['a value was changed', CORRUPT, () => batchAt(ROWS).fill('9', 80, 81)],
  ['its length runs beyond what comes', CORRUPT, () => resealed(batch => batch.writeInt32BE(0x7fffffff, 8))],
  ['its length is shorter than its header', CORRUPT, () => resealed(batch => batch.writeInt32BE(3, 8))],
  ['its length is negative', CORRUPT, () => resealed(batch => batch.writeInt32BE(-1, 8))],
  ['its length ends within a record', CORRUPT, () => batchAt(ROWS).fill(1, 11, 12)],
  ['it counts two thousand million records', CORRUPT, () => resealed(batch => batch.writeInt32BE(0x7fffffff, 57))],
  ['it counts fewer than no records', CORRUPT, () => resealed(batch => batch.writeInt32BE(-5, 57))],
  ['its records end before their number', CORRUPT, () => withBody(0, Buffer.alloc(4))],
  ['a varint does not end', CORRUPT, () => withBody(0, Buffer.alloc(64, 0xff))],
  ['a record is longer than its batch', CORRUPT, () => withBody(0, Buffer.from([0xfe, 0xff, 0xff, 0x0f, 0, 0, 0]))],
  ['its codec does not exist', CORRUPT, () => withBody(7, Buffer.alloc(10))],
  ['it is no gzip', CORRUPT, () => withBody(1, Buffer.alloc(100, 7))],
  ['it is a bomb of two gigabytes', TOO_LARGE, () => withBody(4, zstdRepeats(2 ** 31))],
  ['it is a message set of format 0', OLD, () => oldMessage(0)],
  ['it is a message set of format 1', OLD, () => oldMessage(1)],
  ['it is of a format to come', OLD, () => resealed(batch => batch.writeInt8(3, 16))],
])('a batch is refused where %s; what is before it lands, nothing of it does', async (_, refusal, bad) => {
  const broker = await startScriptedBroker([good(0), { from: ROWS, until: 2 * ROWS, bytes: bad() }, good(2 * ROWS)])
  const root = temporaryFolder()
  const refused = await run(root, broker.address)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(refusal)])
  expect(refused.residentMb).toBeLessThan(CAP_MB)
  expect(await landed(root)).toEqual([[0, 9, 10]])
})

it('what can not be read is deleted, the loss accepted, and all around it lands', async () => {
  const bad = { from: ROWS, until: 2 * ROWS, bytes: batchAt(ROWS).fill('9', 80, 81) }
  const broker = await startScriptedBroker([good(0), bad, good(2 * ROWS)])
  const root = temporaryFolder()
  expect((await run(root, broker.address)).code).toBe(1)
  broker.log = broker.log.slice(2)
  const { code, stderr } = await run(root, broker.address, { FAIL_ON_DATA_LOSS: 'false' })
  expect([code, stderr]).toEqual([0, expect.stringMatching(/offsets 10 to 19 were deleted .* and are skipped/)])
  expect(await landed(root)).toEqual([
    [0, 9, 10],
    [20, 29, 10],
  ])
})

it('a topic that loses its end under a batch that was planned is named, and what is left is read where that is allowed', async () => {
  const bad = { from: ROWS, until: 2 * ROWS, bytes: batchAt(ROWS).fill('9', 80, 81) }
  const broker = await startScriptedBroker([good(0), bad])
  const root = temporaryFolder()
  const grace = { MILLRACE_SOURCE_TRUNCATION_GRACE: '100ms' }
  expect((await run(root, broker.address, grace)).code).toBe(1)
  broker.log = broker.log.slice(0, 1)
  const refused = await run(root, broker.address, grace)
  const told = /DATA_LOST: scripted\/0: offsets 10 to 19 are planned, but the topic ends at 10\n.*failOnDataLoss: false/
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringMatching(told)])
  const allowed = await run(root, broker.address, { ...grace, FAIL_ON_DATA_LOSS: 'false' })
  expect([allowed.code, allowed.stderr]).toEqual([0, expect.stringContaining('the topic lost its end')])
  broker.log = [good(0), good(ROWS)]
  expect(await run(root, broker.address, grace)).toMatchObject({ code: 0, stderr: '' })
  expect(await landed(root)).toEqual([
    [0, 9, 10],
    [10, 19, 10],
  ])
})

it.each<[string, (answer: Buffer) => Buffer]>([
  ['longer than any is', answer => answer.fill(0x7f, 0, 4)],
  [
    'shorter than its fields',
    answer => {
      const cut = answer.subarray(0, -20)
      cut.writeInt32BE(cut.length - 4, 0)
      return cut
    },
  ],
])('an answer is refused that is %s', async (_, spoil) => {
  const broker = await startScriptedBroker([good(0)])
  const root = temporaryFolder()
  broker.onTheWay = spoil
  const { code, stderr, residentMb } = await run(root, broker.address)
  expect([code, stderr]).toEqual([1, expect.stringContaining('BROKER_ERROR')])
  expect(residentMb).toBeLessThan(CAP_MB)
  broker.onTheWay = answer => answer
  expect((await run(root, broker.address)).code).toBe(0)
  expect(await landed(root)).toEqual([[0, 9, 10]])
})

/** Runs the pipeline in batches of ten rows; answers also how much memory it had resident at most. */
const run = async (root: string, brokers: string, more: Readonly<Record<string, string>> = {}) => {
  const env = { TOPIC: 'scripted', MILLRACE_KAFKA_BROKERS: brokers, MAX_OFFSETS: String(ROWS), ...more }
  const { process, ended } = startCli(['run', pipelineFile('strict'), '--available-now', '--root', root], env)
  let residentMb = 0
  const looking = setInterval(() => {
    residentMb = Math.max(residentMb, greatestMb(process.pid))
  }, 20)
  const outcome = await ended
  clearInterval(looking)
  return { ...outcome, residentMb }
}

const greatestMb = (pid = 0): number => {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** First id, last id and number of rows of each batch of ten that landed. */
const landed = async (root: string) => {
  const duck = await openDuck()
  const found = await duck.query(
    `SELECT min(id) AS first, max(id) AS last, count(*)::INT AS n FROM read_parquet('${root}/rows/**/*.parquet') GROUP BY id // 10 ORDER BY 1`,
  )
  duck.close()
  return found.map(({ first, last, n }) => [first, last, n])
}
