import { count, json, kafka, parquet, pipeline, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_id: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  position_ms: 'int64?',
})

/** Two outputs from one read of the topic: the rows themselves, and a count by country. */
export default pipeline('plays')
  .from(kafka({ topic: 'plays', startingOffsets: 'earliest' }), json(Play))
  .branches({
    raw: rows => rows.land().to(parquet('raw/plays', { partitionBy: { hourOf: 'event_time' } })),
    byCountry: rows =>
      rows
        .window(tumbling('1m'), { eventTime: 'event_time', watermark: '5m' })
        .groupBy('country')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(parquet('plays_by_country')),
  })
