import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, inject, it } from 'vitest'
import { openDuck } from '../support/duckdb.ts'
import { type HostileRecord, hostileRecords } from '../support/hostile-records.ts'
import { pipelineFile, runCli, temporaryFolder } from './support/cli.ts'
import { loadTopic } from './support/load-topic.ts'
import { createTopic, uniqueName } from './support/topics.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const PER_CODEC = 80

const flags = (root: string, kernels: string): readonly string[] =>
  ['--available-now', '--flush', '--root', root].concat(
    // a fetch holds less than many a record; the cap on bad rows is not what this is about
    ...['kafka.fetchMaxBytes=64KiB', 'maxBadRows=1', `kernels=${kernels}`].map(value => ['--set', value]),
  )

/** One topic with the same hostile corpus in every codec, and in a transaction that is rolled back. */
const loadCorpus = async () => {
  const topic = await createTopic(1, { 'max.message.bytes': '4194304' })
  const settings = { 'batch.size': '65536', 'max.request.size': '4194304' }
  const all: (HostileRecord & { readonly offset: number })[] = []
  for (const [at, compression] of CODECS.entries()) {
    const records = hostileRecords(at + 1, PER_CODEC, at * PER_CODEC)
    const first = at * PER_CODEC
    all.push(...records.map((each, position) => ({ ...each, offset: first + position })))
    await loadTopic(
      topic,
      records.map(({ record }) => record),
      { compression, settings },
    )
  }
  const rolledBack = hostileRecords(99, PER_CODEC, 100_000).map(({ record }) => record)
  const transactional = { ...settings, 'transactional.id': uniqueName('tx') }
  await loadTopic(topic, ['begin', ...rolledBack, 'abort'], { settings: transactional })
  return { topic, all }
}

/** Begins a transaction and leaves it open. */
const leaveOpen = async (topic: string) => {
  const kafka = new Kafka({ clientId: 'tests', brokers: [inject('kafkaBrokers')], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ transactionalId: uniqueName('open'), maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ value: '{"id":-1,"at":1}' }] })
  return async () => {
    await transaction.abort()
    await producer.disconnect()
  }
}

/** Loaded once, for both kinds of kernels. */
let loaded: ReturnType<typeof loadCorpus> | null = null

describe('a topic full of hostile records, in all codecs, with rolled-back and open transactions', () => {
  it.each(['wasm', 'typescript'])(
    'kernels %s: each lands or lies in the dead letters, with where and why',
    async kernels => {
      loaded ??= loadCorpus()
      const { topic, all } = await loaded
      const end = await leaveOpen(topic)
      const root = temporaryFolder()
      const { code, stderr } = await runCli(['run', pipelineFile('hostile'), ...flags(root, kernels)], { TOPIC: topic })
      await end()
      expect([code, stderr]).toEqual([0, ''])
      const duck = await openDuck()
      const landed = await duck.query(
        `SELECT "offset"::INT AS at FROM read_parquet('${root}/rows/**/*.parquet', hive_partitioning = false) ORDER BY 1`,
      )
      expect(landed.map(({ at }) => at)).toEqual(
        all.filter(({ reason }) => reason === null).map(({ offset }) => offset),
      )
      const letters = await duck.query(
        `SELECT "offset"::INT AS at, reason FROM read_parquet('${root}/dead_letters/**/*.parquet', hive_partitioning = false) ORDER BY 1`,
      )
      const expected = all.flatMap(({ offset: at, reason }) => (reason === null ? [] : [{ at, reason }]))
      expect(new Set(expected.map(({ reason }) => reason)).size).toBe(8)
      expect(letters).toEqual(expected)
      // ids are those that were written: a __proto__ is a key like another
      const [ids] = await duck.query(
        `SELECT count(*)::INT AS n, count(DISTINCT id)::INT AS d, min(id) AS least FROM read_parquet('${root}/rows/**/*.parquet', hive_partitioning = false)`,
      )
      expect(ids).toEqual({ n: landed.length, d: landed.length, least: 0 })
      duck.close()
    },
  )
})
