import { console, count, json, pipeline, schema } from 'millrace'
import { checks, events, PLAYBACK } from './playback.ts'

/** How many records there are. */
export default pipeline('drain')
  .from(events(), json(schema(PLAYBACK), checks))
  .groupBy()
  .aggregate({ events: count() })
  .to(console())
