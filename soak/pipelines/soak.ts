import { parquet } from 'millrace'
import { events, kinds, windows } from './common.ts'

/** Every row in a table, counts of ten seconds in another, and counts by kind live in Redis. */
export default events.branches({
  raw: rows =>
    rows
      .land()
      .withColumn('code', 'int32', row => row.user % 7)
      .to(parquet('raw', { partitionBy: [] })),
  windows,
  kinds,
})
