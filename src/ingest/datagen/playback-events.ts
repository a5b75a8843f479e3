import { utf8Bytes } from '../../base/text.ts'
import type { ByteWriter } from './byte-writer.ts'

/** Which events: of about 380 bytes, of about 2.1 KB with a nested map of 60 fixed keys, or with keys that vary. */
export type EventSize = 'small' | 'large' | 'largeVarying'

export interface PlaybackEventOptions {
  /** Another seed gives other events. */
  readonly seed: number
  readonly size: EventSize
  /** Event time of offset 0, in epoch milliseconds. */
  readonly startTime: number
  /** Event time between one event of a partition and the next, in milliseconds. */
  readonly millisPerEvent: number
}

/** Events are out of order by less than this. */
export const MAX_DISORDER_MS = 5000

const CONTENTS = 5000
const TYPES = ['play', 'play', 'play', 'pause', 'stop', 'seek'].map(utf8Bytes)
const COUNTRIES = ['US', 'DE', 'BR', 'IN', 'JP', 'FR', 'GB', 'MX', 'KR', 'PL', 'NG', 'ID'].map(utf8Bytes)
const DEVICES = [
  '{"type":"tv","os":"tizen"}',
  '{"type":"phone","os":"android"}',
  '{"type":"phone","os":"ios"}',
  '{"type":"tablet","os":"ios"}',
  '{"type":"web","os":"linux"}',
].map(utf8Bytes)
const TITLES = ['The Mill', 'Straße nach Norden', 'A \\"quiet\\" river', '水車の歌', 'Caf\\u00e9 at noon', 'Weir'].map(
  utf8Bytes,
)
const PART = {
  id: utf8Bytes('{"event_id":"'),
  type: utf8Bytes('","event_type":"'),
  time: utf8Bytes('","event_time":'),
  account: utf8Bytes(',"account_id":'),
  profile: utf8Bytes(',"profile_id":'),
  content: utf8Bytes(',"content_id":'),
  title: utf8Bytes(',"title":"'),
  country: utf8Bytes('","country":"'),
  device: utf8Bytes('","device":'),
  watched: utf8Bytes(',"watch_duration":'),
  none: utf8Bytes('null'),
  point: utf8Bytes('.'),
  bitrate: utf8Bytes(',"bitrate":'),
  session: utf8Bytes(',"session_id":"'),
  position: utf8Bytes('","position_ms":'),
  live: utf8Bytes(',"is_live":true'),
  recorded: utf8Bytes(',"is_live":false'),
  context: utf8Bytes(',"context":{'),
  end: utf8Bytes('}'),
}
const CONTEXT_KEYS = Array.from(
  { length: 60 },
  (_, at) => `metric_${String(at).padStart(2, '0')}_${'abcdefgh'[at % 8]}`,
)
const FIXED_KEYS = CONTEXT_KEYS.map((key, at) => utf8Bytes(`${at === 0 ? '' : ','}"${key}":"`))
const VARYING_KEYS = CONTEXT_KEYS.map((key, at) => utf8Bytes(`${at === 0 ? '' : ','}"${key.slice(0, 7)}`))
const QUOTE = utf8Bytes('"')
const COLON = utf8Bytes('":"')

/** A generous bound on the size of one event. */
const MAX_EVENT_BYTES = 4096

/** Mixes seed, partition, offset and a number of the field into 32 bits (MurmurHash3's finaliser). */
const chance = (state: number, field: number): number => {
  let mixed = Math.imul(state ^ Math.imul(field + 1, 0x9e3779b1), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/**
 * Writes playback events as JSON, each a function of seed, partition and offset alone: the same offset gives the same
 * bytes whenever and in whatever range it is written, so that a topic of them can be read again.
 */
export class PlaybackEvents {
  readonly #options: PlaybackEventOptions

  constructor(options: PlaybackEventOptions) {
    this.#options = options
  }

  /** Event time of an event, in epoch milliseconds: later offsets are later, but for a disorder below MAX_DISORDER_MS. */
  eventTime(partition: number, offset: number): number {
    const { startTime, millisPerEvent } = this.#options
    const disorder = chance(this.#state(partition, offset), 1) % MAX_DISORDER_MS
    return startTime + Math.floor(offset * millisPerEvent) + MAX_DISORDER_MS - disorder
  }

  /** Appends one event to `out`. */
  write(out: ByteWriter, partition: number, offset: number): void {
    const state = this.#state(partition, offset)
    out.reserve(MAX_EVENT_BYTES)
    out.put(PART.id)
    out.putHex(state)
    out.putHex(chance(state, 2))
    out.put(PART.type)
    out.put(pick(TYPES, chance(state, 3)))
    out.put(PART.time)
    out.putWhole(this.eventTime(partition, offset))
    const account = chance(state, 4) % 2_000_000
    out.put(PART.account)
    out.putWhole(account)
    out.put(PART.profile)
    out.putWhole(account * 5 + (chance(state, 5) % 5))
    out.put(PART.content)
    out.putWhole(contentOf(chance(state, 6)))
    out.put(PART.title)
    out.put(pick(TITLES, chance(state, 7)))
    out.put(PART.country)
    out.put(pick(COUNTRIES, chance(state, 8)))
    out.put(PART.device)
    out.put(pick(DEVICES, chance(state, 9)))
    this.#writeMeasures(out, state)
    if (this.#options.size !== 'small') this.#writeContext(out, state)
    out.put(PART.end)
  }

  #writeMeasures(out: ByteWriter, state: number): void {
    const watched = chance(state, 10)
    out.put(PART.watched)
    if (watched % 20 === 0) out.put(PART.none)
    else {
      // quarters of a second: sums of them are exact in float64, in any order
      out.putWhole((watched >>> 8) % 7200)
      out.put(PART.point)
      out.putWhole(((watched >>> 4) % 4) * 25)
    }
    out.put(PART.bitrate)
    out.putWhole(200 + (chance(state, 11) % 16_000))
    out.put(PART.session)
    for (let part = 12; part < 18; part += 1) out.putHex(chance(state, part))
    out.put(PART.position)
    out.putWhole(chance(state, 18) * 16)
    out.put(chance(state, 19) % 10 === 0 ? PART.live : PART.recorded)
  }

  #writeContext(out: ByteWriter, state: number): void {
    const varying = this.#options.size === 'largeVarying'
    out.put(PART.context)
    for (let key = 0; key < CONTEXT_KEYS.length; key += 1) {
      if (varying) {
        out.put(VARYING_KEYS[key] as Uint8Array)
        out.putWhole(chance(state, 100 + key) % 100_000)
        out.put(COLON)
      } else out.put(FIXED_KEYS[key] as Uint8Array)
      out.putHex(chance(state, 200 + key))
      out.put(QUOTE)
    }
    out.put(PART.end)
  }

  #state(partition: number, offset: number): number {
    const low = Math.imul(offset | 0, 0x85ebca77) ^ Math.imul(Math.floor(offset / 0x1_0000_0000), 0xc2b2ae3d)
    return chance(low ^ Math.imul(partition + 1, 0x27d4eb2f) ^ Math.imul(this.#options.seed, 0x165667b1), 0)
  }
}

const pick = (from: readonly Uint8Array[], random: number): Uint8Array => from[random % from.length] as Uint8Array

/** Some titles are watched far more than others: the square of a uniform number leans towards the first ones. */
const contentOf = (random: number): number => {
  const uniform = random / 0x1_0000_0000
  return Math.floor(uniform * uniform * CONTENTS)
}
