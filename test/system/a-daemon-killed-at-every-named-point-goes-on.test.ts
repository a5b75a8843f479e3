import { expect, inject, it, onTestFinished } from 'vitest'
import { CRASH_POINTS } from '../../soak/crash-points.ts'
import { drawBlows, strike } from '../../soak/kills.ts'
import { quantile } from '../../soak/report.ts'
import { Soak } from '../../soak/soak.ts'
import { ViewReader } from '../../soak/view-reader.ts'
import { seededRandom } from '../../src/base/random.ts'
import { ownRedis } from './support/redis.ts'

const NAMED = Object.keys(CRASH_POINTS).length
const RANDOM = 5

it('fifteen kill -9, one at each named point of a batch among them, lose, double, alter and show nothing that was not committed', async () => {
  const redis = await ownRedis()
  const view = new ViewReader(redis.port)
  onTestFinished(() => view.close())
  const seed = Date.now() % 1_000_000
  const random = seededRandom(seed)
  const chance = (): number => random.next()
  const soak = await Soak.begin({
    places: { brokers: inject('kafkaBrokers'), redisPort: redis.port, s3: inject('s3') },
    load: { backlog: 200_000, rate: 1_000 },
    maxRate: 10_000,
    view,
  })
  onTestFinished(() => soak.close())
  const struck = await strike(soak, drawBlows(NAMED, RANDOM, [], chance), null, chance, () => undefined)
  const { figures, faults } = await soak.conclude()
  const recoveries = struck.flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs]))
  const [p50, most] = [0.5, 1].map(share => Math.round(quantile(recoveries, share)))
  console.log(
    `seed ${seed}; ${figures['rows sent']} rows; ${recoveries.length} recoveries, half within ${p50} ms, all within ${most} ms`,
  )

  expect(new Set(struck.map(({ point }) => point))).toEqual(new Set([...Object.keys(CRASH_POINTS), 'random']))
  expect(figures['rows landed']).toBeGreaterThan(199_000)
  expect(figures['looks at the view']).toBeGreaterThan(0)
  expect(faults).toEqual({
    lost: 0,
    duplicated: 0,
    reordered: 0,
    altered: 0,
    invented: 0,
    wrongDeadLetters: 0,
    wrongWindows: 0,
    wrongViewRows: 0,
    seenTwice: 0,
    uncommitted: 0,
    gone: 0,
    wrongViews: 0,
    'rows that no look saw': 0,
  })
})
