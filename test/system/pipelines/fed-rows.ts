import { json, kafka, parquet, pipeline, schema } from 'millrace'

const Row = schema({ event_id: 'string', content_id: 'int32' })

/** Lands the rows that another pipeline sends, with the headers that tell repeated ones. */
export default pipeline('fed-rows')
  .from(kafka({ topic: process.env['ROWS_TOPIC'] ?? 'rows', startingOffsets: 'earliest' }), json(Row))
  .land()
  .to(parquet('rows', { partitionBy: [] }))
