import { json, kafka, parquet, pipeline, schema } from 'millrace'

const Window = schema({
  window_start: 'timestamp',
  window_end: 'timestamp',
  content_id: 'int32',
  plays: 'int64',
  watched: 'float64?',
})

/** Lands the counts that another pipeline sends, with the headers that tell repeated ones. */
export default pipeline('fed')
  .from(kafka({ topic: process.env['WINDOWS_TOPIC'] ?? 'windows', startingOffsets: 'earliest' }), json(Window))
  .land()
  .to(parquet('windows', { partitionBy: [] }))
