import { textTable } from '../src/base/text-table.ts'
import type { Job, Validate } from './jobs.ts'
import type { ProcessCost } from './measure/process-cost.ts'
import { median } from './measure/statistics.ts'
import type { Size } from './topics.ts'

/** One line of the bench's result: medians over all runs. */
export interface Figure {
  readonly job: Job | 'kafkajs'
  readonly size: Size
  readonly validate: Validate
  readonly eventBytes: number
  readonly events: number
  readonly cpuSecondsPerMillion: number
  /** CPU of the job over CPU of kcat's bare read of the same topic in the same rounds. */
  readonly ratio: number
  readonly eventsPerSecond: number
  readonly peakRssMiB: number
  readonly correct: boolean
  readonly kcatCpuSecondsPerMillion: number
}

/** What may be spent: ratio to kcat with `validate: 'fields'`. */
const TARGETS: Readonly<Record<Job, Readonly<Record<Size, number>>>> = {
  drain: { small: 1, large: 1.3, varying: 1.3 },
  window: { small: 1.6, large: 1.6, varying: 1.6 },
  land: { small: 4, large: 3.5, varying: 3.5 },
  lambda: { small: 2.5, large: 2, varying: 2 },
}
/** `validate: 'row'` looks at every byte. */
const ROW_ALLOWANCE: Readonly<Record<Size, number>> = { small: 0.5, large: 1.5, varying: 1.5 }

/** The ratio that a job should keep to. */
export const targetOf = ({ job, size, validate }: Pick<Figure, 'job' | 'size' | 'validate'>): number | null =>
  job === 'kafkajs' ? null : TARGETS[job][size] + (validate === 'row' ? ROW_ALLOWANCE[size] : 0)

/** CPU-seconds for a million events. */
export const perMillion = (cost: ProcessCost, events: number): number => (cost.cpuSeconds * 1e6) / events

/** The median of runs, beside that of kcat's runs. */
export const figureOf = (
  what: Pick<Figure, 'job' | 'size' | 'validate' | 'eventBytes' | 'correct'>,
  runs: readonly ProcessCost[],
  events: number,
  kcatCpuSecondsPerMillion: number,
): Figure => {
  const cpu = median(runs.map(run => perMillion(run, events)))
  return {
    ...what,
    events,
    cpuSecondsPerMillion: rounded(cpu, 3),
    ratio: rounded(cpu / kcatCpuSecondsPerMillion, 2),
    eventsPerSecond: Math.round(median(runs.map(run => events / run.wallSeconds))),
    peakRssMiB: Math.round(median(runs.map(run => run.peakRssMiB))),
    kcatCpuSecondsPerMillion: rounded(kcatCpuSecondsPerMillion, 3),
  }
}

/** The table for people. */
export const figureTable = (figures: readonly Figure[]): string =>
  textTable(
    ['job', 'checks', 'bytes', 'events', 'CPU s/M', 'kcat s/M', 'ratio', 'target', 'events/s', 'RSS MiB', 'answer'].map(
      (name, at) => ({ name, align: at < 2 || at === 10 ? 'left' : 'right' }),
    ),
    figures.map(figure => [
      figure.job,
      figure.validate,
      String(figure.eventBytes),
      figure.events.toLocaleString('en'),
      figure.cpuSecondsPerMillion.toFixed(2),
      figure.kcatCpuSecondsPerMillion.toFixed(2),
      figure.ratio.toFixed(2),
      targetOf(figure)?.toFixed(1) ?? '',
      figure.eventsPerSecond.toLocaleString('en'),
      String(figure.peakRssMiB),
      figure.correct ? 'right' : 'WRONG',
    ]),
  )

/** One line for machines. */
export const figureLine = (figure: Figure): string => JSON.stringify(figure)

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))
