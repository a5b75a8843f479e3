import { kafka } from 'millrace'

const read = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set; these pipelines are run by npm run bench`)
  return value
}

/** The topic that the bench says, from its beginning. */
export const events = () => kafka({ topic: read('BENCH_TOPIC'), startingOffsets: 'earliest' })

/** How strictly the bench wants values to be checked. */
export const checks = { validate: read('BENCH_VALIDATE') === 'row' ? 'row' : 'fields' } as const

/** All fields of an event; those of 2.1 KB have a nested map as well, which lands as its JSON text. */
export const PLAYBACK = {
  event_id: 'string',
  event_type: 'string',
  event_time: 'timestamp',
  account_id: 'int64',
  profile_id: 'int64',
  content_id: 'int32',
  title: 'string',
  country: 'string',
  device: 'json',
  watch_duration: 'float64?',
  bitrate: 'int32',
  session_id: 'string',
  position_ms: 'int64',
  is_live: 'bool',
} as const
