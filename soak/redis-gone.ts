import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningRedis } from '../scripts/services/redis.mjs'
import { type Outcome, wrong } from './report.ts'
import type { Soak } from './soak.ts'

const INTERVAL_MS = 1000
const ALLOWED_MS = INTERVAL_MS + 500
const LONG_MS = 12_000

/** How far apart commits are with Redis there, refusing, and hanging. */
export const runRedisGone = async (soak: Soak, redis: RunningRedis): Promise<Outcome> => {
  const daemon = await soak.daemon({ version: 1, workers: 1, args: ['--trigger', '1s'], direct: true })
  await daemon.rowsCome()
  for (let commits = 0; commits < 3; commits += 1) await daemon.live(daemon.nextCommit())
  const during = async (): Promise<number> => {
    const from = daemon.commits.length - 1
    await daemon.live(sleep(LONG_MS))
    await daemon.live(daemon.nextCommit())
    const times = daemon.commits.slice(from)
    return Math.round(Math.max(...times.slice(1).map((time, at) => time - (times[at] ?? time))))
  }
  const well = await during()
  await redis.kill()
  const refused = await during()
  await redis.restart()
  const back = await during()
  process.kill(redis.pid, 'SIGSTOP')
  const hanging = await during()
  process.kill(redis.pid, 'SIGCONT')
  const awake = await during()
  daemon.signal('SIGTERM')
  const { code } = await daemon.end()
  const { figures, faults } = await soak.conclude()
  const gaps = {
    'with Redis': well,
    'Redis refuses': refused,
    'Redis is back': back,
    'Redis hangs': hanging,
    'Redis is awake': awake,
  }
  return {
    figures: {
      ...figures,
      ...Object.fromEntries(
        Object.entries(gaps).map(([when, gap]) => [`longest time between commits, ms: ${when}`, gap]),
      ),
    },
    broken: [
      ...wrong({ ...faults, 'exit code': code ?? 1 }),
      ...Object.entries(gaps).flatMap(([when, gap]) => (gap > ALLOWED_MS ? [`${when}: ${gap} ms`] : [])),
    ],
  }
}
