import { count, json, parquet, pipeline, schema, sum, tumbling } from 'millrace'
import { checks, events } from './playback.ts'

const Play = schema({ event_time: 'timestamp', content_id: 'int32', watch_duration: 'float64?' })

/** Plays and seconds watched by title, in windows of 10 s. */
export default pipeline('window')
  .from(events(), json(Play, checks))
  .window(tumbling('10s'), { eventTime: 'event_time', watermark: '30s' })
  .groupBy('content_id')
  .aggregate({ plays: count(), watched: sum('watch_duration') })
  .to(parquet('windows'))
