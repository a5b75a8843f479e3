import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { jobCommand } from './jobs.ts'
import { median } from './measure/statistics.ts'
import { benchTopic, requireTopic } from './topics.ts'

const EVENTS = 4000

/** How long it takes from the start of the process to the first batch that is committed and visible. */
export const benchStartUp = async (brokers: string, folder: string, runs: number, json: boolean): Promise<void> => {
  const topic = benchTopic('small', EVENTS, 4)
  await requireTopic(brokers, topic)
  const seconds: number[] = []
  for (let run = 0; run < runs; run += 1) {
    const root = join(folder, `start-${run}`)
    const { program, args, env } = jobCommand({ brokers, topic, job: 'window', validate: 'row', root })
    const startedAt = performance.now()
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{"kind":"progress"')) continue
      seconds.push((performance.now() - startedAt) / 1000)
      break
    }
    child.stdout.resume()
    await ended
  }
  const figures = { startToFirstBatchSeconds: Number(median(seconds).toFixed(2)), runs, worst: Math.max(...seconds) }
  process.stdout.write(
    json
      ? `${JSON.stringify(figures)}\n`
      : `start to first committed batch: ${figures.startToFirstBatchSeconds} s (median of ${runs}, worst ${figures.worst.toFixed(2)} s)\n`,
  )
}
