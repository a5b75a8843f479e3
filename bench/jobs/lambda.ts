import { console, count, json, pipeline, schema, sum } from 'millrace'
import { checks, events } from './playback.ts'

const Play = schema({ event_type: 'string', content_id: 'int32', country: 'string', watch_duration: 'float64?' })
const Watched = schema({ country: 'string', seconds: 'float64' })

/** Lambdas in TypeScript: plays of more than a minute outside the US, by country. */
export default pipeline('lambda')
  .from(events(), json(Play, checks))
  .filter(row => row.event_type === 'play' && row.country !== 'US' && (row.watch_duration ?? 0) > 60)
  .map(Watched, row => ({ country: row.country, seconds: row.content_id % 2 === 0 ? (row.watch_duration ?? 0) : 60 }))
  .groupBy('country')
  .aggregate({ plays: count(), seconds: sum('seconds') })
  .to(console({ rows: 20, orderBy: 'plays' }))
