import { parquet } from 'millrace'
import { events, kinds, windows } from './common.ts'

/** The pipeline of soak.ts after a deployment: a changed lambda and a column more. */
export default events.branches({
  raw: rows =>
    rows
      .land()
      .withColumn('code', 'int32', row => row.user % 11)
      .withColumn('tripled', 'int64', row => BigInt(row.user) * 3n)
      .to(parquet('raw', { partitionBy: [] })),
  windows,
  kinds,
})
