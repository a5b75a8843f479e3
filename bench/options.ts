import { parseArgs } from 'node:util'
import { JOBS, type Job, type Validate } from './jobs.ts'
import { SIZES, type Size } from './topics.ts'

/** What is measured: the cost of jobs; how late rows come under a trickle; the first batch; more events, partitions, workers. */
export const MEASURES = ['jobs', 'latency', 'start', 'scale'] as const

export interface BenchOptions {
  readonly measure: (typeof MEASURES)[number]
  readonly jobs: readonly Job[]
  readonly sizes: readonly Size[]
  readonly validate: readonly Validate[]
  /** Events of 380 B; of the larger ones half as many. */
  readonly events: number
  readonly partitions: number
  readonly runs: number
  /** Length of a trickle. */
  readonly seconds: number
  /** A broker that runs already, which keeps the topics for the next run; `null` starts one. */
  readonly brokers: string | null
  /** Events that the kafkajs loop reads; 0 leaves it out. */
  readonly naiveEvents: number
  readonly json: boolean
  /** Compare ratios with the recorded ones, or record these. */
  readonly guard: 'none' | 'check' | 'record'
}

export const HELP = `npm run bench -- [jobs] [options]    CPU per million events, beside kcat's bare read of the same topic
npm run bench -- latency             how late rows come under a trickle of 1,000 events/s (--seconds)
npm run bench -- start               from the start to the first committed batch (--runs)
npm run bench -- scale               cost of the first of --jobs with fewer and more events (a quarter, five times
                                     as many), partitions and workers

  --jobs drain,window,land,lambda   which jobs (default all)
  --sizes small,large,varying       events of 380 B, of 2.1 KB, of 2.1 KB with keys that vary (default small,large)
  --validate fields,row             how strictly JSON is checked (default fields)
  --events 4000000                  events of 380 B in the topic; of larger ones half as many
  --partitions 4                    partitions of the topic
  --runs 5                          alternating runs; medians are shown
  --seconds 30                      length of a trickle
  --naive 200000                    events for a loop of kafkajs, JSON.parse and a Map; 0 leaves it out
  --brokers host:port               use this broker and leave the topics there (default: start one)
  --json                            one line of JSON for each job and size
  --check                           fail where a ratio is worse than the recorded one (bench/recorded.json)
  --record                          write the ratios to bench/recorded.json
`

const DEFAULTS = {
  jobs: { type: 'string', default: JOBS.join(',') },
  sizes: { type: 'string', default: 'small,large' },
  validate: { type: 'string', default: 'fields' },
  events: { type: 'string', default: '4000000' },
  partitions: { type: 'string', default: '4' },
  runs: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '30' },
  naive: { type: 'string', default: '200000' },
  brokers: { type: 'string' },
  json: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** Reads the command line; `null` where help was asked for. @throws Error naming the wrong option */
export const readOptions = (args: readonly string[]): BenchOptions | null => {
  const { values, positionals } = parseArgs({ args: [...args], options: DEFAULTS, allowPositionals: true })
  if (values.help) return null
  return {
    measure: oneOf('measure', positionals[0] ?? 'jobs', MEASURES)[0] ?? 'jobs',
    jobs: oneOf('jobs', values.jobs, JOBS),
    sizes: oneOf('sizes', values.sizes, Object.keys(SIZES) as Size[]),
    validate: oneOf('validate', values.validate, ['fields', 'row']),
    events: whole('events', values.events, 1000),
    partitions: whole('partitions', values.partitions, 1),
    runs: whole('runs', values.runs, 1),
    seconds: whole('seconds', values.seconds, 1),
    naiveEvents: whole('naive', values.naive, 0),
    brokers: values.brokers ?? null,
    json: values.json,
    guard: values.record ? 'record' : values.check ? 'check' : 'none',
  }
}

const oneOf = <Name extends string>(option: string, text: string, known: readonly Name[]): readonly Name[] =>
  text.split(',').map(part => {
    const name = known.find(each => each === part)
    if (name === undefined) throw new Error(`--${option}: ${part} is none of ${known.join(', ')}`)
    return name
  })

const whole = (option: string, text: string, least: number): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`--${option}: ${text} is not a whole number of at least ${least}`)
}
