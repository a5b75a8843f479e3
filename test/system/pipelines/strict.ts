import { json, kafka, parquet, pipeline, schema } from 'millrace'

const Row = schema({ id: 'int32', at: 'timestamp' })

/** Lands small rows; the source's options come from the environment, so that one file serves many tests. */
export default pipeline(process.env['PIPELINE'] ?? 'strict')
  .from(
    kafka({
      topic: process.env['TOPIC'] ?? 'rows',
      startingOffsets: 'earliest',
      failOnDataLoss: process.env['FAIL_ON_DATA_LOSS'] !== 'false',
    }),
    json(Row, { maxRecordBytes: 1_000_000 }),
  )
  .land()
  .to(parquet('rows', { partitionBy: { hourOf: 'at' } }))
