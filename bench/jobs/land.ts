import { json, parquet, pipeline, schema } from 'millrace'
import { checks, events, PLAYBACK } from './playback.ts'

const Play = schema(process.env['BENCH_SIZE'] === 'small' ? PLAYBACK : { ...PLAYBACK, context: 'json' })

/** Every field of every event, in folders by the hour of its event time. */
export default pipeline('land')
  .from(events(), json(Play, checks))
  .to(parquet('plays', { partitionBy: { hourOf: 'event_time' } }))
