import { count, json, kafka, parquet, pipeline, schema, tumbling } from 'millrace'

const Row = schema({ id: 'int32', at: 'timestamp', note: 'string?' })

/** Lands what is fit to land and counts it by hour. */
export default pipeline('hostile')
  .from(
    kafka({ topic: process.env['TOPIC'] ?? 'rows', startingOffsets: 'earliest' }),
    json(Row, { maxRecordBytes: 800_000 }),
  )
  .branches({
    rows: rows => rows.land().to(parquet('rows', { partitionBy: { hourOf: 'at' } })),
    hours: rows =>
      rows
        .window(tumbling('1h'), { eventTime: 'at', watermark: '1m' })
        .groupBy('id')
        .aggregate({ n: count() })
        .to(parquet('hours')),
  })
