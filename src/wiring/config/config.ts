import * as z from 'zod'
import { parseDuration } from '../../base/duration.ts'
import { MillraceError } from '../../base/errors.ts'
import type { DurationMs } from '../../base/units.ts'

/** One value of the configuration: how it is read, its default as a user would write it, and what it is for. */
export interface Setting<T> {
  readonly parse: z.ZodType<T>
  readonly fallback: unknown
  readonly about: string
  /** Never printed. */
  readonly secret?: true
}

const setting = <T>(parse: z.ZodType<T>, fallback: unknown, about: string): Setting<T> => ({ parse, fallback, about })
const secret = <T>(parse: z.ZodType<T>, fallback: unknown, about: string): Setting<T> => ({
  ...setting(parse, fallback, about),
  secret: true,
})

/** Text from the environment and the command line stands for numbers and truth values as well. */
const number = z.preprocess(
  value => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
  z.number(),
)
const flag = z.preprocess(value => (value === 'true' ? true : value === 'false' ? false : value), z.boolean())
const text = z.string().min(1)
const texts = z.preprocess(
  value => (typeof value === 'string' ? value.split(',').map(part => part.trim()) : value),
  z.array(text).min(1),
)
const whole = (least: number) => number.pipe(z.number().int().min(least))
const atLeast = (least: number) => number.pipe(z.number().min(least))

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

const bytes = z.union([z.string(), z.number()]).transform((value, context): number => {
  const [, size, unit = 'B'] = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?$/.exec(String(value)) ?? []
  if (size !== undefined) return Math.floor(Number(size) * (BYTES[unit] ?? 1))
  context.addIssue({ code: 'custom', message: 'write a number of bytes, or a size such as 512KiB, 8MiB or 1GiB' })
  return z.NEVER
})

const duration = z.union([z.string(), z.number()]).transform((value, context): DurationMs => {
  try {
    return parseDuration(value)
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: error instanceof MillraceError ? error.remedy : 'not a length of time',
    })
    return z.NEVER
  }
})

const trigger = z
  .string()
  .regex(/^(default|\d+(\.\d+)?(ms|s|m|h|d))$/, 'write default, or a length of time such as 1s')
  .transform(value => value as 'default' | `${number}s`)

const none = z.preprocess(value => (value === 'none' ? null : value), z.null())

/** Where a server listens: `host:port`, or a port of the loopback interface. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

const listenAddress = z.union([z.string(), z.number(), z.null()]).transform((value, context): ListenAddress | null => {
  if (value === null || value === 'none') return null
  const [, host = '127.0.0.1', port] = /^(?:(\[[0-9a-fA-F:]+\]|[^\s:/]+):)?(\d{1,5})$/.exec(String(value)) ?? []
  if (port !== undefined && Number(port) < 65_536) return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
  context.addIssue({ code: 'custom', message: 'write host:port such as 127.0.0.1:9464, a port alone, or none' })
  return z.NEVER
})

const token = z.preprocess(
  value => (value === 'none' ? null : value),
  z
    .string()
    .regex(/^[\x21-\x7e]{16,512}$/, 'write 16 to 512 printable characters without spaces')
    .nullable(),
)

/** Names and passwords have no place in an address that is shown in logs. */
const endpoint = z.union([
  none,
  z
    .string()
    .refine(
      value => URL.canParse(value) && /^https?:\/\/[^/@]+\/?$/.test(value),
      'write an address such as https://s3.example.com:9000, without name and password',
    ),
])

/** How an S3-compatible store is reached. */
const REACH = {
  endpoint: setting(endpoint, null, 'Address of an S3-compatible store; `none` for AWS.'),
  region: setting(
    z.union([none, text]),
    null,
    'Region of the bucket; `none` for what the AWS SDK finds (AWS_REGION, the profile).',
  ),
  forcePathStyle: setting(
    z.union([z.literal('auto'), flag]),
    'auto',
    'Whether the bucket is in the path (`host/bucket`) instead of the host name; `auto`: where there is an endpoint.',
  ),
  profile: setting(
    z.union([none, text]),
    null,
    'Profile of the shared AWS configuration to take credentials from; `none` for the SDK’s own chain (environment, role …).',
  ),
} as const

/** A store by name, which sinks may name: `stores.<name>.<field>`. What is not said is as for `s3`. */
export const NAMED_STORE_FIELDS = {
  root: setting(text, undefined, 'Where a store lies that sinks name: a folder, or `s3://bucket/prefix`.'),
  ...REACH,
} as const

const redisUrl = z.union([
  none,
  z.string().regex(/^rediss?:\/\/\S+$/, 'write redis://host:6379, rediss://user:password@host:6379/0, or none'),
])

/** Every value of the configuration, by its dotted name. */
export const SETTINGS = {
  root: setting(text, './millrace-data', 'Where tables and checkpoints lie: a folder, or `s3://bucket/prefix`.'),
  durability: setting(
    z.enum(['process', 'disk']),
    'process',
    'What a commit survives: a killed process, or (`disk`: every file is synced) a machine that loses power.',
  ),
  workers: setting(whole(1), 2, 'Worker threads that read, decode and compute; 16 at most have work at once.'),
  kernels: setting(
    z.enum(['wasm', 'typescript']),
    'wasm',
    'Inner loops: WebAssembly, or the same in TypeScript (slower; to find out which of them is wrong).',
  ),
  kernelMemory: setting(
    bytes.pipe(
      z
        .number()
        .min(16 * 1024 ** 2)
        .max(1024 ** 3),
    ),
    '256MiB',
    'Address space of the WebAssembly kernels of a worker, 16MiB to 1GiB; taken page by page as it is needed. A batch for ' +
      'which it is too small is computed outside of it, slower.',
  ),
  trigger: setting(trigger, 'default', 'A batch at each multiple of this time; `default`: as soon as there is data.'),
  pollInterval: setting(
    duration,
    '25ms',
    'How often the source is asked for news while nothing waits, and under the default trigger at most.',
  ),
  stopTimeout: setting(
    duration,
    '10s',
    'How long a stop waits for the batch in flight before that is abandoned whole.',
  ),
  maxBadRows: setting(
    atLeast(0),
    0.1,
    'Share of a batch (of 1,000 rows at least) that may be dead letters before the pipeline stops.',
  ),
  'kafka.brokers': setting(texts, ['127.0.0.1:9092'], 'Bootstrap servers, `host:port`, separated by commas.'),
  'kafka.clientId': setting(text, 'millrace', 'Name that brokers see in their logs and quotas.'),
  'kafka.requestTimeout': setting(
    duration,
    '30s',
    'A request without an answer for so long fails, and its connection is closed.',
  ),
  'kafka.fetchMaxBytes': setting(bytes, '4MiB', 'Bytes of one partition in one fetch.'),
  'kafka.prefetchBytes': setting(bytes, '64MiB', 'Bytes that were fetched and not asked for yet, over all workers.'),
  'kafka.maxDecompressedBytes': setting(bytes, '64MiB', 'A record batch that decompresses to more is refused.'),
  'kafka.maxRequestBytes': setting(
    bytes,
    '1MiB',
    'Bytes of rows in one request to a topic that is written; less where the topic takes less (max.message.bytes).',
  ),
  'kafka.deliveryTimeout': setting(
    duration,
    '2m',
    'How long rows are tried to be sent to a topic before the pipeline fails; the next start sends them.',
  ),
  's3.endpoint': REACH.endpoint,
  's3.region': REACH.region,
  's3.forcePathStyle': REACH.forcePathStyle,
  's3.profile': REACH.profile,
  's3.requestTimeout': setting(duration, '30s', 'A request without an answer for so long is made again.'),
  's3.maxAttempts': setting(whole(1), 10, 'Attempts at a request before the store counts as failed.'),
  's3.retryTimeout': setting(duration, '2m', 'Time for all attempts at a request and the waits between them.'),
  's3.maxSockets': setting(whole(1), 32, 'Connections to the store.'),
  'backpressure.enabled': setting(flag, true, 'Whether the rate is limited to what the rest can bear.'),
  'backpressure.initialRate': setting(atLeast(1), 10_000, 'Rows per second before anything is learned.'),
  'backpressure.minRate': setting(atLeast(1), 100, 'Rows per second that the rate never sinks below.'),
  'backpressure.maxRate': setting(
    z.union([none, atLeast(1)]),
    null,
    'Rows per second that the rate never rises above; `none` for no bound.',
  ),
  'backpressure.targetInterval': setting(
    duration,
    '1s',
    'Time that a batch is planned for where the trigger has no interval.',
  ),
  'backpressure.growth': setting(atLeast(1.01), 2, 'Factor by which the rate may grow from batch to batch.'),
  'backpressure.proportional': setting(atLeast(0), 1, 'Weight of the error in the PID estimator (Kp).'),
  'backpressure.integral': setting(atLeast(0), 0.2, 'Weight of the rows that wait (Ki).'),
  'backpressure.derivative': setting(atLeast(0), 0, 'Weight of the change of the error (Kd).'),
  'backpressure.maxBatchBytes': setting(bytes, '256MiB', 'Bytes that a batch is planned to read at most.'),
  'backpressure.maxOutputBytes': setting(
    bytes,
    '32MiB',
    'Bytes of files and rows that a batch is planned to give at most: they wait in memory for its end.',
  ),
  'task.maxFailures': setting(whole(1), 3, 'Attempts at a task before the pipeline fails.'),
  'task.timeout': setting(duration, '10m', 'A task that takes longer counts as failed, and its worker is replaced.'),
  'watermark.idleTimeout': setting(
    duration,
    '30s',
    'A partition without rows for so long does not hold the watermark back.',
  ),
  'watermark.maxFuture': setting(duration, '1h', 'Event times further ahead of the clock do not move the watermark.'),
  'source.truncationGrace': setting(
    duration,
    '30s',
    'How long a topic may end before the committed offset (a change of leaders) before that is lost data.',
  ),
  'redis.url': secret(
    redisUrl,
    null,
    'Redis for views, the fast copy of offsets and the lease: `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, or `none`.',
  ),
  'redis.keyPrefix': setting(
    z.string().regex(/^[^\s{}]{1,100}$/, 'write up to 100 characters without spaces and braces'),
    'millrace:',
    'Begins every key that Millrace writes to Redis.',
  ),
  'redis.connectTimeout': setting(
    duration,
    '2s',
    'A connection to Redis that takes longer is given up, and tried again.',
  ),
  'redis.commandTimeout': setting(duration, '1s', 'A command without an answer for so long fails.'),
  'redis.publishTimeout': setting(
    duration,
    '250ms',
    'How long a batch waits for its views; then the stream goes on and the views follow.',
  ),
  'redis.leaseTtl': setting(
    duration,
    '15s',
    'A driver that has not been heard of for so long no longer holds the lease.',
  ),
  'checkpoint.retainBatches': setting(whole(100), 100, 'Batches whose log entries are kept.'),
  'batch.enabled': setting(
    flag,
    true,
    'Whether a running pipeline computes its batch tables itself, hour by hour, where its source is landed.',
  ),
  'batch.grace': setting(duration, '10m', 'Event time that passes after the end of an hour before its batch runs.'),
  'batch.catchUp': setting(duration, '24h', 'Hours that closed longer ago are left to `millrace backfill`.'),
  'batch.maxSplitBytes': setting(bytes, '64MiB', 'Bytes of landed files that one task of a batch job reads.'),
  'batch.maxFileBytes': setting(bytes, '128MiB', 'As `parquet.maxFileBytes`, for the tables of batch jobs.'),
  'batch.kafkaSlack': setting(
    duration,
    '1h',
    'With `--source kafka`: how long before or after its event time a record may have been written.',
  ),
  'parquet.maxFileBytes': setting(bytes, '32MiB', 'A file is closed at about so many bytes.'),
  'parquet.maxOpenPartitions': setting(whole(1), 64, 'Folders that one task keeps files open in.'),
  'service.listen': setting(
    listenAddress,
    null,
    'Address of the HTTP service of `millrace run`: `host:port`, a port of 127.0.0.1 alone, or `none`. Other hosts than loopback need `service.token`.',
  ),
  'service.token': secret(token, null, 'Bearer token (or password of any user) that the HTTP service asks for.'),
  'service.probeInterval': setting(duration, '5s', 'How often source and store are asked whether they answer.'),
  'service.probeTimeout': setting(duration, '5s', 'Without an answer for so long they count as away: not ready.'),
  'service.maxLagRows': setting(
    z.union([none, whole(1)]),
    null,
    'With more rows waiting, /readyz says not ready; `none` for no bound.',
  ),
  'service.maxLagAge': setting(
    z.union([none, duration]),
    null,
    'With a row that has waited longer, /readyz says not ready; `none` for no bound.',
  ),
} as const satisfies Readonly<Record<string, Setting<unknown>>>

/** Dotted name of a value. */
export type SettingName = keyof typeof SETTINGS

type ValueAt<Name extends SettingName> = (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never
type Sections<Name extends string> = Name extends `${infer Section}.${string}` ? Section : never
type Keys<Name extends string, Section extends string> = Name extends `${Section}.${infer Key}` ? Key : never

type NamedStoreField = keyof typeof NAMED_STORE_FIELDS
type FieldValue<Field extends NamedStoreField> = (typeof NAMED_STORE_FIELDS)[Field] extends Setting<infer T> ? T : never

/** What is configured of a named store. */
export type NamedStore = { readonly [Field in NamedStoreField]?: FieldValue<Field> }

/** The configuration as the program reads it: `config.kafka.brokers`. Durations are milliseconds, sizes bytes. */
export type Config = {
  readonly [Name in Exclude<SettingName, `${string}.${string}`>]: ValueAt<Name>
} & {
  readonly stores: Readonly<Record<string, NamedStore>>
} & {
  readonly [Section in Sections<SettingName>]: {
    readonly [Key in Keys<SettingName, Section>]: ValueAt<Extract<`${Section}.${Key}`, SettingName>>
  }
}
