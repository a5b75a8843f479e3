import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { textTable } from '../src/base/text-table.ts'
import { type Job, runJob } from './jobs.ts'
import { kcatRead } from './measure/kcat.ts'
import { median } from './measure/statistics.ts'
import { perMillion } from './report.ts'
import { benchTopic, requireTopic } from './topics.ts'

/** One point of the scale: how many events, in how many partitions, on how many workers. */
interface Point {
  readonly events: number
  readonly partitions: number
  readonly workers: number
}

interface Scaled extends Point {
  readonly cpuSecondsPerMillion: number
  /** Without what a run over next to nothing takes. */
  readonly cpuSecondsPerMillionBeyondStart: number
  /** What each million costs that the next smaller topic lacks: all that a run pays once, the compiling of hot code too, is left out. */
  readonly cpuSecondsPerFurtherMillion: number | null
  readonly kcatCpuSecondsPerMillion: number
  readonly eventsPerSecond: number
}

interface ScaleOptions {
  /** Beside so many, a quarter and five times as many are read. */
  readonly events: number
  readonly runs: number
  readonly json: boolean
}

/** A topic that is read in no time: what is left is the start. */
const NEXT_TO_NOTHING = 1000

/** Whether cost per event stays flat with more events and partitions, and what a second worker brings. */
export const benchScale = async (brokers: string, folder: string, job: Job, options: ScaleOptions): Promise<void> => {
  const { events, json } = options
  const points: readonly Point[] = [
    { events: events / 4, partitions: 4, workers: 2 },
    { events, partitions: 4, workers: 2 },
    { events: 5 * events, partitions: 4, workers: 2 },
    { events: 5 * events, partitions: 4, workers: 1 },
    { events, partitions: 64, workers: 2 },
    { events, partitions: 256, workers: 2 },
  ]
  const measurement = { brokers, folder, job, runs: options.runs }
  const start = await measure(measurement, { events: NEXT_TO_NOTHING, partitions: 4, workers: 2 })
  const measured: Scaled[] = []
  let smaller: Measured | null = null
  for (const point of points) {
    const { cpuSeconds, ...rest } = await measure(measurement, point)
    measured.push({
      ...point,
      ...rest,
      cpuSecondsPerMillionBeyondStart: ((cpuSeconds - start.cpuSeconds) * 1e6) / point.events,
      cpuSecondsPerFurtherMillion: perFurtherMillion(smaller, { ...point, cpuSeconds }),
    })
    smaller = { ...point, cpuSeconds }
  }
  process.stdout.write(json ? measured.map(each => `${JSON.stringify(each)}\n`).join('') : table(measured))
}

interface Measured extends Point {
  readonly cpuSeconds: number
}

const perFurtherMillion = (smaller: Measured | null, larger: Measured): number | null => {
  if (smaller === null || smaller.partitions !== larger.partitions || smaller.workers !== larger.workers) return null
  return ((larger.cpuSeconds - smaller.cpuSeconds) * 1e6) / (larger.events - smaller.events)
}

interface Measurement {
  readonly brokers: string
  readonly folder: string
  readonly job: Job
  readonly runs: number
}

const measure = async ({ brokers, folder, job, runs }: Measurement, point: Point) => {
  const topic = benchTopic('small', point.events, point.partitions)
  await requireTopic(brokers, topic)
  process.stderr.write(`${topic.name}, workers: ${point.workers} …\n`)
  const costs = []
  const floor = []
  for (let run = 0; run < runs; run += 1) {
    floor.push(await kcatRead(brokers, topic.name))
    const root = join(folder, 'scale')
    const args = ['--workers', String(point.workers)]
    costs.push(await runJob({ brokers, topic, job, validate: 'fields', root, args }))
    rmSync(root, { recursive: true })
  }
  return {
    cpuSeconds: median(costs.map(cost => cost.cpuSeconds)),
    cpuSecondsPerMillion: median(costs.map(cost => perMillion(cost, topic.events))),
    kcatCpuSecondsPerMillion: median(floor.map(cost => perMillion(cost, topic.events))),
    eventsPerSecond: median(costs.map(cost => topic.events / cost.wallSeconds)),
  }
}

const table = (measured: readonly Scaled[]): string =>
  textTable(
    ['events', 'partitions', 'workers', 'CPU s/M', 'beyond start', 'further', 'kcat s/M', 'events/s'].map(name => ({
      name,
      align: 'right',
    })),
    measured.map(each => [
      each.events.toLocaleString('en'),
      String(each.partitions),
      String(each.workers),
      each.cpuSecondsPerMillion.toFixed(2),
      each.cpuSecondsPerMillionBeyondStart.toFixed(2),
      each.cpuSecondsPerFurtherMillion?.toFixed(2) ?? '',
      each.kcatCpuSecondsPerMillion.toFixed(2),
      Math.round(each.eventsPerSecond).toLocaleString('en'),
    ]),
  )
