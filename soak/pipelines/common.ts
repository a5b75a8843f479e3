import { count, json, kafka, parquet, pipeline, redisView, schema, sum, tumbling } from 'millrace'

const Event = schema({
  seq: 'int64',
  time: 'timestamp',
  user: 'int32',
  kind: 'int32',
  amount: 'int64',
  note: 'string',
})

const killAtRow = Number(process.env['SOAK_KILL_AT_ROW'] ?? 0)
let rows = 0

/** Lets every row through; the soak may have said at which one the process dies. */
const alive = (): boolean => {
  rows += 1
  if (rows === killAtRow) process.kill(process.pid, 'SIGKILL')
  return true
}

/** What both pipelines of a soak read. */
export const events = pipeline('soak')
  .from(kafka({ topic: process.env['TOPIC'] ?? 'soak', startingOffsets: 'earliest' }), json(Event))
  .filter(alive)

type Events = typeof events

/** Counts of ten seconds in a table. */
export const windows = (rows: Events) =>
  rows
    .window(tumbling('10s'), { eventTime: 'time', watermark: '1m' })
    .groupBy('kind')
    .aggregate({ events: count(), total: sum('amount') })
    .to(parquet('windows', { partitionBy: [] }))

/** Counts by kind, live in Redis. */
export const kinds = (rows: Events) =>
  rows
    .groupBy('kind')
    .aggregate({ events: count(), total: sum('amount') })
    .to(redisView('kinds', { format: 'json' }))
