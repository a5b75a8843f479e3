import { count, json, kafka, parquet, pipeline, redisView, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_id: 'string',
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
})

/** What compose.yaml runs: the rows in Parquet, counts of each minute beside them, and the top titles live in Redis. */
export default pipeline('plays')
  .from(kafka({ topic: 'plays', startingOffsets: 'earliest' }), json(Play))
  .branches({
    raw: rows => rows.land().to(parquet('raw/plays', { partitionBy: { hourOf: 'event_time' } })),
    byCountry: rows =>
      rows
        .filter(row => row.event_type === 'play')
        .window(tumbling('1m'), { eventTime: 'event_time', watermark: '30s' })
        .groupBy('country')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(parquet('plays_by_country')),
    titles: rows =>
      rows
        .groupBy('content_id')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(redisView('titles', { top: { by: 'plays', n: 10 } })),
  })
