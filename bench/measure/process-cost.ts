import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a process cost, from its start to its exit. */
export interface ProcessCost {
  /** User and system time of the process and of those that it started and waited for. */
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** The most memory it ever had in RAM (VmHWM), in MiB. */
  readonly peakRssMiB: number
  readonly stdout: string
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Drop what it prints. */
  readonly quiet?: boolean
}

/** Linux counts times for user space in hundredths of a second, on every architecture. */
const TICKS_PER_SECOND = 100
const LOOK_EVERY_MS = 10

/** Runs a command alone and measures it. @throws Error with what it said where it fails */
export const measureProcess = async ({ program, args, env = {}, quiet = false }: Command): Promise<ProcessCost> => {
  const cpuBefore = waitedForTicks()
  const startedAt = performance.now()
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', quiet ? 'ignore' : 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close')
  let peakKiB = 0
  while (child.exitCode === null && child.signalCode === null) {
    peakKiB = Math.max(peakKiB, highWaterKiB(child.pid))
    await Promise.race([ended, sleep(LOOK_EVERY_MS)])
  }
  const wallSeconds = (performance.now() - startedAt) / 1000
  const [code, signal] = (await ended) as [number | null, string | null]
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}:\n${stderr.slice(-4000)}`)
  const cpuSeconds = (waitedForTicks() - cpuBefore) / TICKS_PER_SECOND
  return { cpuSeconds, wallSeconds, peakRssMiB: peakKiB / 1024, stdout }
}

/**
 * Ticks of all processes that this one started and waited for, threads and children's children included (cutime and
 * cstime of proc(5)). Exact for one process at a time, and cheaper than a wrapper that would count itself.
 */
export const waitedForTicks = (stat: string = readFileSync('/proc/self/stat', 'utf8')): number => {
  const [, , , , , , , , , , , , , cutime, cstime] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(cutime) + Number(cstime)
}

const highWaterKiB = (pid: number | undefined): number => {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    // it has just ended
    return 0
  }
}
