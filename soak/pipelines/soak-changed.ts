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

/** The pipeline of soak.ts after a deployment: a changed lambda and a column more. */
export default pipeline('soak')
  .from(kafka({ topic: process.env['TOPIC'] ?? 'soak', startingOffsets: 'earliest' }), json(Event))
  .filter(alive)
  .branches({
    raw: rows =>
      rows
        .land()
        .withColumn('code', 'int32', row => row.user % 11)
        .withColumn('tripled', 'int64', row => BigInt(row.user) * 3n)
        .to(parquet('raw', { partitionBy: [] })),
    windows: rows =>
      rows
        .window(tumbling('10s'), { eventTime: 'time', watermark: '1m' })
        .groupBy('kind')
        .aggregate({ events: count(), total: sum('amount') })
        .to(parquet('windows', { partitionBy: [] })),
    kinds: rows =>
      rows
        .groupBy('kind')
        .aggregate({ events: count(), total: sum('amount') })
        .to(redisView('kinds', { format: 'json' })),
  })
