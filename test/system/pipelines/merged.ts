import { count, datagen, json, parquet, pipeline, redisView, schema, sum, tumbling } from 'millrace'

const Play = schema({ event_time: 'timestamp', country: 'string', position_ms: 'int64?' })
const aggregates = { plays: count(), watched: sum('position_ms') }

/** Two and a half hours of events in two seconds, landed, counted into a table, and counted into a live view. */
export default pipeline('merged')
  .from(datagen({ partitions: 2, rowsPerPartition: 5000, rowsPerSecond: 5000, speed: 4500, landed: 'raw' }), json(Play))
  .branches({
    raw: rows => rows.land().to(parquet('raw')),
    closed: rows =>
      rows
        .window(tumbling('10m'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('country')
        .aggregate(aggregates)
        .to(parquet('trending')),
    live: rows =>
      rows
        .window(tumbling('10m'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('country')
        .aggregate(aggregates)
        .outputMode('update')
        .to(redisView('trending', { table: 'trending', top: { by: 'plays', n: 5 }, ttl: 'never' })),
    overall: rows =>
      rows
        .groupBy('country')
        .aggregate(aggregates)
        .to(redisView('overall', { format: 'json' })),
  })
