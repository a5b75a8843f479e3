import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Outcome, wrong } from './report.ts'
import type { Soak } from './soak.ts'

export const USUAL_RATE = 500
export const BURST = { rate: 100 * USUAL_RATE, seconds: 30 }
const CAP_MB = 400
/** The lag that counts as none: what comes within two batches. */
const LITTLE_LAG = 2 * USUAL_RATE
const MOST_SECONDS = 180

/** A hundred times the usual rate for 30 seconds against one daemon that must not be started again. */
export const runBurst = async (soak: Soak): Promise<Outcome> => {
  const daemon = await soak.daemon({ version: 1, workers: 2, args: ['--trigger', '1s'] })
  await daemon.rowsCome()
  const before = daemon.lag()
  const startedAt = performance.now()
  let most = 0
  let caughtUpAfter: number | null = null
  // the burst begins ten seconds after the generator has, and the lag is told by batches
  while (caughtUpAfter === null && performance.now() - startedAt < MOST_SECONDS * 1000) {
    await daemon.live(sleep(250))
    const lag = daemon.lag()
    most = Math.max(most, lag)
    const seconds = (performance.now() - startedAt) / 1000
    if (seconds > 10 + BURST.seconds && lag <= LITTLE_LAG) caughtUpAfter = seconds - 10 - BURST.seconds
  }
  const residentMb = residentPeak(daemon.pid)
  daemon.signal('SIGTERM')
  const { code } = await daemon.end()
  const { figures, faults } = await soak.conclude()
  return {
    figures: {
      'usual rate, rows/s': USUAL_RATE,
      'burst, rows/s': BURST.rate,
      'burst, s': BURST.seconds,
      ...figures,
      'lag before, rows': before,
      'greatest lag, rows': most,
      'caught up after the burst, s': caughtUpAfter === null ? 'never' : Number(caughtUpAfter.toFixed(1)),
      'greatest resident memory, MB': residentMb,
      'exit code at the end': code ?? 'none',
    },
    broken: [
      ...wrong({ ...faults, 'exit code': code ?? 1 }),
      ...(residentMb > CAP_MB ? [`resident memory: ${residentMb} MB`] : []),
      ...(caughtUpAfter === null ? ['the lag did not fall'] : []),
      ...(most <= LITTLE_LAG ? ['the lag did not rise'] : []),
    ],
  }
}

/** The most memory that a process ever had resident (VmHWM), in megabytes. */
const residentPeak = (pid: number): number => {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round((Number(kilobytes) * 1024) / 1e6)
}
