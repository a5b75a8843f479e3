import { setTimeout as sleep } from 'node:timers/promises'
import { CRASH_POINTS, type CrashPoint } from './crash-points.ts'
import type { Daemon, Version } from './daemon.ts'
import type { Fault, Harm } from './faults.ts'
import type { Soak } from './soak.ts'
import { Trap } from './trap.ts'

/** What is done to a daemon: killed at a named point, or whenever; with a service harmed meanwhile, or not. */
export interface Blow {
  readonly point: CrashPoint | 'random'
  /** Whether it hits a daemon that has not committed anything yet: recovery itself is hit. */
  readonly early: boolean
  readonly fault: Fault | null
}

/** How a blow went. */
export interface Struck {
  readonly point: CrashPoint | 'random'
  readonly fault: Fault | null
  /** From the kill to the next commit in the store; `null` where the successor was killed before its first. */
  readonly recoveryMs: number | null
  /** Daemons that ended by themselves while a service was harmed, and were started again. */
  readonly gaveUp: number
}

const MOST_ROWS_BEFORE_C3 = 20_000
/** Random kills come so long after the start or after the first commit. */
const RANDOM_MS = 1500

/** Blows of each named point in equal numbers, random ones among them, and a fault with every sixth; in any order. */
export const drawBlows = (
  named: number,
  random: number,
  faults: readonly Fault[],
  chance: () => number,
): readonly Blow[] => {
  const points = Object.keys(CRASH_POINTS) as CrashPoint[]
  const all = [
    ...Array.from({ length: named }, (_, at) => points[at % points.length] as CrashPoint),
    ...Array.from({ length: random }, () => 'random' as const),
  ]
  const shuffled = all.map(point => ({ point, at: chance() })).toSorted((one, other) => one.at - other.at)
  return shuffled.map(({ point }, at) => ({
    point,
    early: chance() < 0.3,
    fault: at % 6 === 5 && faults.length > 0 ? (faults[Math.floor(at / 6) % faults.length] ?? null) : null,
  }))
}

/** Strikes one daemon after the other; each is started as soon as the one before it is dead. */
export const strike = async (
  soak: Soak,
  blows: readonly Blow[],
  harm: Harm | null,
  chance: () => number,
  told: (struck: Struck, at: number) => void,
): Promise<readonly Struck[]> => {
  const struck: Struck[] = []
  let killedAt: number | null = null
  let faulted = false
  for (const [at, blow] of blows.entries()) {
    const early = blow.early && at > 0
    let gaveUp = 0
    const run = { version: chance() < 0.5 ? 1 : (2 as Version), workers: 1 + Math.floor(chance() * 3) }
    const inflicted = blow.fault === null ? null : harm?.inflict(blow.fault)
    let daemon: Daemon
    let dead: number | null
    try {
      do {
        const killAtRow = blow.point === 'c3' ? 1 + Math.floor(chance() * MOST_ROWS_BEFORE_C3) : null
        daemon = await soak.daemon({ ...run, args: ['--trigger', '1s'], killAtRow })
        dead = await killed(daemon, { ...blow, early }, chance)
        // one that finds no broker at its start ends, and a supervisor starts it again
        gaveUp += dead === null ? 1 : 0
      } while (dead === null)
    } finally {
      // whatever becomes of the daemon, services are well again before anything else is done to them
      await inflicted
    }
    const [commit = null] = daemon.commits
    const recoveryMs = killedAt === null || commit === null || faulted || blow.fault !== null ? null : commit - killedAt
    const one = { point: blow.point, fault: blow.fault, recoveryMs, gaveUp }
    struck.push(one)
    told(one, at)
    killedAt = dead
    // what a service suffered is not the time that a kill costs
    faulted = blow.fault !== null
  }
  return struck
}

/**
 * Kills a daemon where it is to be killed; answers when, or `null` where it ended before because a service was away.
 * @throws where it ends otherwise or never gets there
 */
const killed = async (daemon: Daemon, blow: Blow, chance: () => number): Promise<number | null> => {
  let killedAt: number | null = null
  const kill = async (): Promise<'drop'> => {
    killedAt = performance.now()
    daemon.signal('SIGKILL')
    return 'drop'
  }
  const problem = await untilKilled(daemon, blow, chance, kill).then(
    () => null,
    (error: unknown) => error,
  )
  const { code, signal } = await daemon.end()
  if (code === FAILED && blow.fault !== null) return null
  if (problem !== null) throw problem
  if (signal !== 'SIGKILL') throw new Error(`the daemon was not killed at ${blow.point}:\n${daemon.lastWords}`)
  return killedAt ?? performance.now()
}

const FAILED = 1

const untilKilled = async (
  daemon: Daemon,
  { point, early }: Blow,
  chance: () => number,
  kill: () => Promise<'drop'>,
): Promise<void> => {
  if (point === 'c3') return
  if (!early) await daemon.live(daemon.nextCommit())
  if (point === 'random') {
    await daemon.live(sleep(chance() * RANDOM_MS))
    await kill()
    return
  }
  const trap = new Trap(point, 1 + Math.floor(chance() * 2), kill)
  daemon.arm(trap)
  await daemon.live(trap.closed)
}
