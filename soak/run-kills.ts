import { CRASH_POINTS } from './crash-points.ts'
import { FAULTS, Harm } from './faults.ts'
import { drawBlows, type Struck, strike } from './kills.ts'
import type { SoakOptions } from './options.ts'
import type { OwnServices } from './places.ts'
import { type Outcome, quantile, wrong } from './report.ts'
import { Soak } from './soak.ts'
import { ViewReader } from './view-reader.ts'

/** Kills at named points and at random, services that suffer meanwhile, and what is left of the rows. */
export const runKills = async (
  services: OwnServices,
  options: SoakOptions,
  chance: () => number,
  told: (text: string) => void,
): Promise<Outcome> => {
  const view = new ViewReader(services.redis.port)
  const harm = options.faults ? new Harm(services, view, chance) : null
  const places = { brokers: services.kafka.brokers, redisPort: services.redis.port, s3: services.s3 }
  const load = { backlog: options.rows, rate: options.rate }
  told(`writing ${options.rows.toLocaleString('en')} rows …\n`)
  const { maxRate } = options
  const soak = await Soak.begin({ places, load, maxRate, view, ...(harm === null ? {} : { weather: harm.weather }) })
  try {
    const blows = drawBlows(options.kills, options.random, harm === null ? [] : FAULTS, chance)
    const struck = await strike(soak, blows, harm, chance, (one, at) => told(progress(one, at, blows.length)))
    told('reading to the end and counting …\n')
    const { figures, faults } = await soak.conclude()
    const recoveries = struck.flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs]))
    return {
      figures: {
        seed: options.seed,
        ...figures,
        ...Object.fromEntries(
          Object.entries(CRASH_POINTS).map(([point, what]) => [`killed at ${point}, ${what}`, times(struck, point)]),
        ),
        'killed at random': times(struck, 'random'),
        ...Object.fromEntries(FAULTS.map(fault => [fault, struck.filter(each => each.fault === fault).length])),
        'daemons that ended while a service was away': struck.reduce((sum, { gaveUp }) => sum + gaveUp, 0),
        'recoveries measured': recoveries.length,
        'recovery p50, ms': Math.round(quantile(recoveries, 0.5)),
        'recovery p99, ms': Math.round(quantile(recoveries, 0.99)),
        ...faults,
      },
      broken: wrong(faults),
      recoveries: recoveries.map(Math.round),
    }
  } finally {
    soak.close()
    view.close()
  }
}

const times = (struck: readonly Struck[], point: string): number => struck.filter(each => each.point === point).length

const progress = ({ point, fault, recoveryMs }: Struck, at: number, of: number): string =>
  `${at + 1}/${of} ${point}${fault === null ? '' : `, ${fault}`}${recoveryMs === null ? '' : `: back after ${Math.round(recoveryMs)} ms`}\n`
