import { console, count, json, kafka, parquet, pipeline, schema, sum, tumbling } from 'millrace'

const Play = schema({
  event_type: 'string',
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  'device.type': 'string?',
})

export default pipeline('trending')
  .from(kafka({ topic: 'plays', startingOffsets: 'earliest' }), json(Play))
  .filter(row => row.event_type === 'play')
  .window(tumbling('10s'), { eventTime: 'event_time', watermark: '1m' })
  .groupBy('content_id')
  .aggregate({ plays: count(), watched: sum('watch_duration') })
  .to(parquet('trending'), console({ rows: 10, orderBy: 'plays' }))
