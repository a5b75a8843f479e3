import { count, json, kafka, max, parquet, pipeline, redisView, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  position_ms: 'int64?',
})

/** Lands every row and keeps two views of them: plays by country over all time, and by title in windows. */
export default pipeline(process.env['PIPELINE'] ?? 'views')
  .from(
    kafka({ topic: process.env['TOPIC'] ?? 'plays', startingOffsets: 'earliest', maxOffsetsPerTrigger: 4000 }),
    json(Play),
  )
  .branches({
    raw: rows => rows.land().to(parquet('raw', { partitionBy: [] })),
    countries: rows =>
      rows
        .groupBy('country')
        .aggregate({ plays: count(), watched: sum('position_ms'), last: max('event_time') })
        .to(redisView(`${process.env['PIPELINE'] ?? 'views'}-countries`, { top: { by: 'plays', n: 5 } })),
    trending: rows =>
      rows
        .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('content_id')
        .aggregate({ plays: count() })
        .outputMode('update')
        .to(redisView(`${process.env['PIPELINE'] ?? 'views'}-trending`, { format: 'json', ttl: 'never' })),
  })
