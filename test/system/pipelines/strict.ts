import { json, kafka, parquet, pipeline, schema } from 'millrace'

const count = (name: string): number | undefined =>
  process.env[name] === undefined ? undefined : Number(process.env[name])
const [maxOffsetsPerTrigger, minOffsetsPerTrigger] = [count('MAX_OFFSETS'), count('MIN_OFFSETS')]

const Row = schema({ id: 'int32', at: 'timestamp' })

/** Lands small rows; the source's options come from the environment, so that one file serves many tests. */
export default pipeline(process.env['PIPELINE'] ?? 'strict')
  .from(
    kafka({
      topic: process.env['TOPIC'] ?? 'rows',
      startingOffsets: 'earliest',
      ...(maxOffsetsPerTrigger === undefined ? {} : { maxOffsetsPerTrigger }),
      ...(minOffsetsPerTrigger === undefined ? {} : { minOffsetsPerTrigger, maxTriggerDelay: '1h' }),
      failOnDataLoss: process.env['FAIL_ON_DATA_LOSS'] !== 'false',
    }),
    json(Row, { maxRecordBytes: 1_000_000 }),
  )
  .land()
  .to(parquet('rows', { partitionBy: { hourOf: 'at' } }))
