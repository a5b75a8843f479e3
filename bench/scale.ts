import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { present } from '../src/base/assert.ts'
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
const START: Point = { events: 1000, partitions: 4, workers: 2 }

/** Whether cost per event stays flat with more events and partitions, and what a second worker brings. */
export const benchScale = async (brokers: string, folder: string, job: Job, options: ScaleOptions): Promise<void> => {
  const { events, json, runs } = options
  const points: readonly Point[] = [
    { events: events / 4, partitions: 4, workers: 2 },
    { events, partitions: 4, workers: 2 },
    { events: 5 * events, partitions: 4, workers: 2 },
    { events: 5 * events, partitions: 4, workers: 1 },
    { events, partitions: 64, workers: 2 },
    { events, partitions: 256, workers: 2 },
  ]
  const [start, ...medians] = await measureInRounds({ brokers, folder, job }, [START, ...points], runs)
  const measured = medians.map(({ cpuSeconds, ...rest }, at) => ({
    ...rest,
    cpuSecondsPerMillionBeyondStart: ((cpuSeconds - present(start, 'start').cpuSeconds) * 1e6) / rest.events,
    cpuSecondsPerFurtherMillion: perFurtherMillion(medians[at - 1], { ...rest, cpuSeconds }),
  }))
  process.stdout.write(json ? measured.map(each => `${JSON.stringify(each)}\n`).join('') : table(measured))
}

const perFurtherMillion = (
  smaller: (Point & { readonly cpuSeconds: number }) | undefined,
  larger: Point & { readonly cpuSeconds: number },
): number | null => {
  if (smaller?.partitions !== larger.partitions || smaller.workers !== larger.workers) return null
  return ((larger.cpuSeconds - smaller.cpuSeconds) * 1e6) / (larger.events - smaller.events)
}

interface Measurement {
  readonly brokers: string
  readonly folder: string
  readonly job: Job
}

/** Medians of each point. Points take turns: a machine that is slower for a while is slower for all of them. */
const measureInRounds = async (measurement: Measurement, points: readonly Point[], runs: number) => {
  const topics = points.map(({ events, partitions }) => benchTopic('small', events, partitions))
  for (const topic of topics) await requireTopic(measurement.brokers, topic)
  const rounds: (readonly Awaited<ReturnType<typeof measure>>[])[] = []
  for (let run = 1; run <= runs; run += 1) {
    process.stderr.write(`round ${run} of ${runs} …\n`)
    const round: Awaited<ReturnType<typeof measure>>[] = []
    for (const point of points) round.push(await measure(measurement, point))
    rounds.push(round)
  }
  return points.map((point, at) => {
    const measured = rounds.map(round => present(round[at], 'a point of each round'))
    const [costs, floor] = [measured.map(({ job }) => job), measured.map(({ kcat }) => kcat)]
    return {
      ...point,
      cpuSeconds: median(costs.map(cost => cost.cpuSeconds)),
      cpuSecondsPerMillion: median(costs.map(cost => perMillion(cost, point.events))),
      kcatCpuSecondsPerMillion: median(floor.map(cost => perMillion(cost, point.events))),
      eventsPerSecond: median(costs.map(cost => point.events / cost.wallSeconds)),
    }
  })
}

const measure = async ({ brokers, folder, job }: Measurement, { events, partitions, workers }: Point) => {
  const topic = benchTopic('small', events, partitions)
  const kcat = await kcatRead(brokers, topic.name)
  const root = join(folder, 'scale')
  const args = ['--workers', String(workers)]
  const cost = await runJob({ brokers, topic, job, validate: 'fields', root, args })
  rmSync(root, { recursive: true })
  return { kcat, job: cost }
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
