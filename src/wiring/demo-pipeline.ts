import { count, sum } from '../pipeline/aggregates.ts'
import { json } from '../pipeline/formats.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { schema } from '../pipeline/schema.ts'
import { console, parquet } from '../pipeline/sinks.ts'
import { datagen } from '../pipeline/sources.ts'
import { tumbling } from '../pipeline/windows.ts'

const Play = schema({
  event_id: 'string',
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  'device.type': 'string?',
})

/**
 * What `millrace demo` runs: playback events from the generator, landed as they are and counted by title. Event time
 * runs six times faster than the clock, so that 10 s windows close while one looks on.
 */
export default pipeline('demo')
  .from(datagen({ rowsPerSecond: 20_000, speed: 6 }), json(Play))
  .branches({
    raw: rows => rows.land().to(parquet('raw/plays', { partitionBy: { hourOf: 'event_time' } })),
    trending: rows =>
      rows
        .filter(row => row.event_type === 'play')
        .window(tumbling('10s'), { eventTime: 'event_time', watermark: '10s' })
        .groupBy('content_id')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(parquet('trending'), console({ rows: 10, orderBy: 'plays' })),
  })
