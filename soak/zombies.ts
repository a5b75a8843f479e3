import { setTimeout as sleep } from 'node:timers/promises'
import { CRASH_POINTS, type CrashPoint } from './crash-points.ts'
import type { Daemon, Ending } from './daemon.ts'
import type { Soak } from './soak.ts'
import { Trap } from './trap.ts'

/** Exit code of a driver that was taken over. */
const FENCED = 3

/** How a driver ended that slept while another took over. */
export interface Woken {
  readonly point: CrashPoint | 'random'
  readonly ending: Ending
  readonly fenced: boolean
}

/** Where drivers are stopped: all named points but c3, which lies within a worker, and anywhere. */
const PLACES: readonly (CrashPoint | 'random')[] = [
  ...(Object.keys(CRASH_POINTS) as CrashPoint[]).filter(point => point !== 'c3'),
  'random',
]

/**
 * Stops a driver (SIGSTOP) in the midst of a call, lets a successor take over and commit, and wakes it: its call goes on
 * then, late. So many times, in turns through all points; the successor is the next to be stopped.
 */
export const raiseZombies = async (
  soak: Soak,
  times: number,
  chance: () => number,
  told: (woken: Woken, at: number) => void,
): Promise<readonly Woken[]> => {
  const start = (): Promise<Daemon> =>
    soak.daemon({ version: chance() < 0.5 ? 1 : 2, workers: 1 + Math.floor(chance() * 2), args: ['--trigger', '1s'] })
  const all: Woken[] = []
  let driver = await start()
  await driver.live(driver.nextCommit())
  for (let at = 0; at < times; at += 1) {
    const point = PLACES[at % PLACES.length] as CrashPoint | 'random'
    const wake = await stop(driver, point, chance)
    const successor = await start()
    const commits = 1 + Math.floor(chance() * 2)
    for (let seen = 0; seen < commits; seen += 1) await successor.live(successor.nextCommit())
    wake()
    const ending = await driver.end()
    const woken = { point, ending, fenced: ending.code === FENCED }
    all.push(woken)
    told(woken, at)
    driver = successor
  }
  driver.signal('SIGKILL')
  await driver.ended
  return all
}

/** Stops a driver where it is to be stopped; answers what wakes it. */
const stop = async (driver: Daemon, point: CrashPoint | 'random', chance: () => number): Promise<() => void> => {
  if (point === 'random') {
    await driver.live(sleep(chance() * 1500))
    driver.signal('SIGSTOP')
    return () => driver.signal('SIGCONT')
  }
  let release: () => void = () => undefined
  const asleep = new Promise<void>(resolve => (release = resolve))
  const trap = new Trap(point, 1, async () => {
    driver.signal('SIGSTOP')
    await asleep
    return 'go'
  })
  driver.arm(trap)
  await driver.live(trap.closed)
  return () => {
    driver.arm(null)
    release()
    driver.signal('SIGCONT')
  }
}
