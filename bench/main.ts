import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka } from '../scripts/services/kafka.mjs'
import { projectFolder } from '../scripts/set-up.mjs'
import { ByteWriter } from '../src/ingest/datagen/byte-writer.ts'
import { eventsOf } from '../test/support/topic-loader.ts'
import { type Answer, answerOf, expectedAnswers } from './answers.ts'
import { readRecorded, regressions, withFigures, writeRecorded } from './guard.ts'
import { type Job, runJob, type Validate } from './jobs.ts'
import { benchLatency } from './latency.ts'
import { kcatRead, requireKcat } from './measure/kcat.ts'
import { measureProcess, type ProcessCost } from './measure/process-cost.ts'
import { median } from './measure/statistics.ts'
import { type BenchOptions, HELP, readOptions } from './options.ts'
import { type Figure, figureLine, figureOf, figureTable, perMillion } from './report.ts'
import { benchScale } from './scale.ts'
import { benchStartUp } from './start-up.ts'
import { type BenchTopic, benchTopic, requireTopic, type Size } from './topics.ts'

const note = (text: string): void => void process.stderr.write(text)

/** Runs the bench; answers the exit code. */
export const main = async (args: readonly string[]): Promise<number> => {
  const options = readOptions(args)
  if (options === null) {
    process.stdout.write(HELP)
    return 0
  }
  if (options.measure === 'jobs' || options.measure === 'scale') requireKcat()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const kafka = options.brokers === null ? await startKafka() : null
  try {
    return await measure(options.brokers ?? kafka?.brokers ?? '', options, folder)
  } finally {
    await kafka?.stop()
    rmSync(folder, { recursive: true })
  }
}

const measure = async (brokers: string, options: BenchOptions, folder: string): Promise<number> => {
  const { runs, json, seconds, events, jobs } = options
  switch (options.measure) {
    case 'latency':
      await benchLatency(brokers, folder, seconds, json)
      return 0
    case 'start':
      await benchStartUp(brokers, folder, runs, json)
      return 0
    case 'scale':
      await benchScale(brokers, folder, jobs[0] ?? 'drain', { events, runs, json })
      return 0
    default:
      return benchJobs(brokers, options, folder)
  }
}

const benchJobs = async (brokers: string, options: BenchOptions, folder: string): Promise<number> => {
  const figures: Figure[] = []
  for (const size of options.sizes) {
    const measured = await benchSize(brokers, size, options, folder)
    if (options.json) for (const figure of measured) process.stdout.write(`${figureLine(figure)}\n`)
    figures.push(...measured)
  }
  if (!options.json) process.stdout.write(figureTable(figures))
  return conclude(figures, options)
}

const conclude = (figures: readonly Figure[], { guard }: BenchOptions): number => {
  const worse = regressions(figures, guard === 'check' ? readRecorded() : {})
  for (const line of worse) note(`WORSE ${line}\n`)
  if (guard === 'record' && worse.length === 0) writeRecorded(withFigures(readRecorded(), figures))
  return worse.length === 0 ? 0 : 1
}

/** What runs in each round, after kcat. */
interface Contestant {
  readonly job: Job
  readonly validate: Validate
  readonly costs: ProcessCost[]
  correct: boolean
}

const benchSize = async (
  brokers: string,
  size: Size,
  options: BenchOptions,
  folder: string,
): Promise<readonly Figure[]> => {
  const topic = benchTopic(size, size === 'small' ? options.events : options.events / 2, options.partitions)
  await requireTopic(brokers, topic)
  const answers = await rightAnswers(topic, options, folder)
  const contestants = options.jobs.flatMap(job =>
    options.validate.map((validate): Contestant => ({ job, validate, costs: [], correct: true })),
  )
  const kcat: ProcessCost[] = []
  for (let round = 1; round <= options.runs; round += 1) {
    note(`${topic.name}, round ${round} of ${options.runs}:`)
    for (const contestant of contestants) {
      // before each job: kcat is the least steady of all, so it is asked most often
      const read = await kcatRead(brokers, topic.name)
      kcat.push(read)
      note(` kcat ${perMillion(read, topic.events).toFixed(2)},`)
      await runOnce(contestant, brokers, topic, answers, folder)
    }
    note('\n')
  }
  const floor = median(kcat.map(cost => perMillion(cost, topic.events)))
  const eventBytes = meanBytes(topic)
  const figures = contestants.map(({ job, validate, costs, correct }) =>
    figureOf({ job, size, validate, eventBytes, correct }, costs, topic.events, floor),
  )
  return options.naiveEvents === 0
    ? figures
    : [...figures, await naive(brokers, topic, Math.min(options.naiveEvents, topic.events), { eventBytes, floor })]
}

const runOnce = async (
  contestant: Contestant,
  brokers: string,
  topic: BenchTopic,
  answers: Readonly<Record<Job, Answer>>,
  folder: string,
): Promise<void> => {
  const { job, validate } = contestant
  const root = join(folder, 'root')
  const cost = await runJob({ brokers, topic, job, validate, root })
  note(` ${job}${validate === 'row' ? ' row' : ''} ${perMillion(cost, topic.events).toFixed(2)};`)
  contestant.costs.push({ ...cost, stdout: '' })
  const right = (await answerOf(job, topic, root, cost.stdout)) === answers[job]
  contestant.correct &&= right
  if (!right) note(' WRONG')
  rmSync(root, { recursive: true })
}

/** A loop of kafkajs and JSON.parse, once: it takes too long for more. */
const naive = async (
  brokers: string,
  topic: BenchTopic,
  events: number,
  { eventBytes, floor }: { readonly eventBytes: number; readonly floor: number },
): Promise<Figure> => {
  const loop = join(projectFolder, 'bench', 'naive', 'kafkajs-loop.mjs')
  const cost = await measureProcess({ program: process.execPath, args: [loop, brokers, topic.name, String(events)] })
  const correct = Number(cost.stdout) === events
  return figureOf({ job: 'kafkajs', size: topic.size, validate: 'row', eventBytes, correct }, [cost], events, floor)
}

/** Answers are kept as long as the topics are: on a broker that outlives the run. */
const rightAnswers = async (
  topic: BenchTopic,
  { brokers }: BenchOptions,
  folder: string,
): Promise<Readonly<Record<Job, Answer>>> => {
  if (brokers === null) return expectedAnswers(topic, folder)
  const kept = join(projectFolder, '.cache', 'bench', `${topic.name}.json`)
  try {
    return JSON.parse(readFileSync(kept, 'utf8')) as Readonly<Record<Job, Answer>>
  } catch {
    const answers = await expectedAnswers(topic, folder)
    mkdirSync(join(projectFolder, '.cache', 'bench'), { recursive: true })
    writeFileSync(kept, JSON.stringify(answers))
    return answers
  }
}

const meanBytes = ({ load }: BenchTopic): number => {
  const events = eventsOf(load)
  const out = new ByteWriter(4096)
  const sample = 1000
  for (let offset = 0; offset < sample; offset += 1) events.write(out, 0, offset)
  return Math.round(out.length / sample)
}
