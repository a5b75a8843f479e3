import { count, json, kafka, parquet, pipeline, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  'device.type': 'string?',
})

/** Counts plays in short windows and in some that cross hours, and says where its source is landed. */
export default pipeline('landed-plays')
  .from(kafka({ topic: process.env['TOPIC'] ?? 'plays', startingOffsets: 'earliest', landed: 'raw/plays' }), json(Play))
  .branches({
    raw: rows => rows.land().to(parquet('raw/plays', { partitionBy: { hourOf: 'event_time' } })),
    trending: rows =>
      rows
        .filter(row => row.event_type === 'play')
        .window(tumbling('10m'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('content_id')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(parquet('trending')),
    long: rows =>
      rows
        .window(tumbling('90m'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('country')
        .aggregate({ events: count() })
        .to(parquet('long')),
  })
