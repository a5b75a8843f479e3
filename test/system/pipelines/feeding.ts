import { count, json, kafka, kafkaSink, pipeline, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_id: 'string',
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  watch_duration: 'float64?',
})

const { TOPIC = 'plays', ROWS_TOPIC = 'rows', WINDOWS_TOPIC = 'windows' } = process.env

/** Sends every play to one topic and counts by title to another. */
export default pipeline('feeding')
  .from(kafka({ topic: TOPIC, startingOffsets: 'earliest' }), json(Play))
  .filter(row => row.event_type === 'play')
  .branches({
    rows: rows =>
      rows
        .select('event_id', 'content_id')
        .to(kafkaSink({ topic: ROWS_TOPIC, key: 'content_id', compression: 'gzip' })),
    windows: rows =>
      rows
        .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
        .groupBy('content_id')
        .aggregate({ plays: count(), watched: sum('watch_duration') })
        .to(kafkaSink({ topic: WINDOWS_TOPIC })),
  })
