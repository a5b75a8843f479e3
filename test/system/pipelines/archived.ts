import { datagen, json, parquet, pipeline, schema } from 'millrace'

const Play = schema({ event_id: 'string', event_time: 'timestamp', content_id: 'int32' })

/** Generated events into a table of a store by name. */
export default pipeline('archived')
  .from(datagen({ rowsPerSecond: 5000, partitions: 2 }), json(Play))
  .land()
  .to(parquet('raw', { store: 'archive', partitionBy: [] }))
