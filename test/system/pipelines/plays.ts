import { count, json, kafka, parquet, pipeline, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_id: 'string',
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  position_ms: 'int64?',
  'device.type': 'string?',
})

/** Lands every row and counts plays by title, as the drain and kill tests need it. */
export default pipeline('plays')
  .from(kafka({ topic: process.env['TOPIC'] ?? 'plays', startingOffsets: 'earliest' }), json(Play))
  .branches({
    raw: rows =>
      rows
        .land()
        .withColumn('code', 'int32', row => (row.country === 'US' ? 1 : 2))
        .to(parquet('raw', { partitionBy: { hourOf: 'event_time' } })),
    trending: rows =>
      rows
        .filter(row => row.event_type === 'play')
        .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('content_id')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(parquet('trending')),
  })
