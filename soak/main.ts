import { startKafka } from '../scripts/services/kafka.mjs'
import { startRedis } from '../scripts/services/redis.mjs'
import { startS3 } from '../scripts/services/s3.mjs'
import { seededRandom } from '../src/base/random.ts'
import { BURST, runBurst, USUAL_RATE } from './burst.ts'
import { runDiskFull, SmallDisk } from './disk-full.ts'
import { HELP, readOptions, type SoakOptions } from './options.ts'
import type { OwnServices } from './places.ts'
import { record, recordedOutcomes } from './recorded.ts'
import { runRedisGone } from './redis-gone.ts'
import { type Outcome, table } from './report.ts'
import { runKills } from './run-kills.ts'
import { runZombies } from './run-zombies.ts'
import { type Load, Soak } from './soak.ts'
import { ViewReader } from './view-reader.ts'

/** Runs a soak; answers the exit code. */
export const main = async (args: readonly string[]): Promise<number> => {
  const options = readOptions(args)
  if (options === null) {
    process.stdout.write(HELP)
    return 0
  }
  if (options.recorded) {
    for (const { mode, ...outcome } of recordedOutcomes()) process.stdout.write(`${mode}\n${table(outcome)}\n`)
    return 0
  }
  // what was started goes with this process, also where that is told to end
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const started: { stop(): Promise<void> }[] = []
  try {
    // one after the other: what has started is ended again where the next does not start
    const kafka = await startKafka()
    started.push(kafka)
    const redis = await startRedis()
    started.push(redis)
    const s3 = await startS3()
    started.push(s3)
    const outcome = await run({ kafka, redis, s3 }, options)
    process.stdout.write(options.json ? `${JSON.stringify(outcome)}\n` : table(outcome))
    if (options.record) record(options.mode, outcome)
    return outcome.broken.length === 0 ? 0 : 1
  } finally {
    await Promise.all(started.map(each => each.stop()))
  }
}

const run = async (services: OwnServices, options: SoakOptions): Promise<Outcome> => {
  const random = seededRandom(options.seed)
  const chance = (): number => random.next()
  const { rows: backlog, rate } = options
  const told = (text: string): void => void (options.json || process.stderr.write(text))
  told(`seed ${options.seed}\n`)
  switch (options.mode) {
    case 'kills':
      return runKills(services, options, chance, told)
    case 'zombies':
      return withSoak(services, { backlog, rate }, {}, soak => runZombies(soak, options.zombies, chance, told))
    case 'burst':
      return withSoak(services, { backlog: 0, rate: USUAL_RATE, burst: BURST }, {}, runBurst)
    case 'redisGone':
      return withSoak(services, { backlog: 0, rate }, {}, soak => runRedisGone(soak, services.redis))
    case 'diskFull':
      return withSmallDisk(disk =>
        withSoak(services, { backlog: 0, rate }, { root: disk.root }, soak => runDiskFull(soak, disk)),
      )
    case 'storeFull':
      return withSmallDisk(async disk => {
        const s3 = await startS3({ data: disk.root })
        try {
          return await withSoak({ ...services, s3 }, { backlog: 0, rate }, {}, soak => runDiskFull(soak, disk))
        } finally {
          await s3.stop()
        }
      })
  }
}

const withSmallDisk = async (work: (disk: SmallDisk) => Promise<Outcome>): Promise<Outcome> => {
  const disk = new SmallDisk()
  try {
    return await work(disk)
  } finally {
    disk.close()
  }
}

const withSoak = async (
  { kafka, redis, s3 }: OwnServices,
  load: Load,
  where: { readonly root?: string },
  work: (soak: Soak) => Promise<Outcome>,
): Promise<Outcome> => {
  const view = new ViewReader(redis.port)
  const soak = await Soak.begin({ places: { brokers: kafka.brokers, redisPort: redis.port, s3 }, load, view, ...where })
  try {
    return await work(soak)
  } finally {
    soak.close()
    view.close()
  }
}
