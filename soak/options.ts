import { parseArgs } from 'node:util'

/** What a soak does. */
export type Mode = 'kills' | 'zombies' | 'burst' | 'redisGone' | 'diskFull' | 'storeFull'

export interface SoakOptions {
  readonly mode: Mode
  /** Kills at named points, and at random. */
  readonly kills: number
  readonly random: number
  readonly zombies: number
  /** The backlog that is there before the first start. */
  readonly rows: number
  /** What comes meanwhile, in rows per second. */
  readonly rate: number
  /** A ceiling for the pipeline, so that the backlog lasts. */
  readonly maxRate: number
  readonly faults: boolean
  readonly seed: number
  readonly json: boolean
  readonly record: boolean
  /** Show what is recorded, and run nothing. */
  readonly recorded: boolean
}

export const HELP = `npm run soak -- [options]                kills of a real daemon on real services; DuckDB counts what is left
npm run soak -- --zombies 100            drivers that are stopped, replaced, and wake beside their successor
npm run soak -- --burst                  100 times the usual rate for 30 s: memory, lag, rows
npm run soak -- --redis-gone             how late commits come while Redis refuses or hangs
npm run soak -- --disk-full              a local folder whose disk fills up, and has room again
npm run soak -- --store-full             the same under an S3-compatible store

  --kills 50          at named points, in equal numbers
  --random N          at any time (default: half as many)
  --rows 2000000      backlog before the first start
  --rate 2000         rows per second that come meanwhile
  --max-rate 40000    rows per second that the pipeline may read
  --no-faults         harm nothing but the daemon
  --seed N            draws the order of what is done (default: the time)
  --json              one line for machines
  --record            add the result to soak/recorded.json
  --recorded          show what is recorded there, runs of a kind added up, and run nothing
`

/** Reads the command line; `null` where help was asked for. @throws Error naming the wrong option */
export const readOptions = (args: readonly string[]): SoakOptions | null => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '50' },
      random: { type: 'string' },
      zombies: { type: 'string' },
      burst: { type: 'boolean', default: false },
      'redis-gone': { type: 'boolean', default: false },
      'disk-full': { type: 'boolean', default: false },
      'store-full': { type: 'boolean', default: false },
      rows: { type: 'string', default: '2000000' },
      rate: { type: 'string', default: '2000' },
      'max-rate': { type: 'string', default: '40000' },
      'no-faults': { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Date.now() % 1e9) },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      recorded: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const kills = whole('kills', values.kills)
  return {
    mode: values.burst
      ? 'burst'
      : values['redis-gone']
        ? 'redisGone'
        : values['disk-full']
          ? 'diskFull'
          : values['store-full']
            ? 'storeFull'
            : values.zombies === undefined
              ? 'kills'
              : 'zombies',
    kills,
    random: values.random === undefined ? Math.floor(kills / 2) : whole('random', values.random),
    zombies: whole('zombies', values.zombies ?? '0'),
    rows: whole('rows', values.rows),
    rate: whole('rate', values.rate),
    maxRate: whole('max-rate', values['max-rate']),
    faults: !values['no-faults'],
    seed: whole('seed', values.seed),
    json: values.json,
    record: values.record,
    recorded: values.recorded,
  }
}

const whole = (option: string, text: string): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`--${option}: ${text} is not a whole number`)
}
