import { readFileSync, writeFileSync } from 'node:fs'
import type { Figure } from './report.ts'

/** A ratio may be so much worse than the recorded one before that counts: as far as runs on one machine scatter. */
export const TOLERANCE = 0.25

/** Ratios by `job size validate`. */
export type Recorded = Readonly<Record<string, number>>

const FILE = new URL('./recorded.json', import.meta.url)
const keyOf = ({ job, size, validate }: Figure): string => `${job} ${size} ${validate}`

/** What got worse than it was on record, one line each; figures that are on no record pass. */
export const regressions = (figures: readonly Figure[], recorded: Recorded): readonly string[] =>
  figures.flatMap(figure => {
    const before = recorded[keyOf(figure)]
    if (!figure.correct) return [`${keyOf(figure)}: the answer is wrong`]
    if (before === undefined || figure.ratio <= before * (1 + TOLERANCE)) return []
    return [`${keyOf(figure)}: ratio ${figure.ratio} instead of ${before}`]
  })

/** The record with these figures in the place of older ones. */
export const withFigures = (recorded: Recorded, figures: readonly Figure[]): Recorded => {
  const ours = figures.filter(({ job }) => job !== 'kafkajs').map(figure => [keyOf(figure), figure.ratio] as const)
  const all = Object.entries({ ...recorded, ...Object.fromEntries(ours) })
  return Object.fromEntries(all.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

export const readRecorded = (): Recorded => JSON.parse(readFileSync(FILE, 'utf8')) as Recorded

export const writeRecorded = (recorded: Recorded): void => writeFileSync(FILE, `${JSON.stringify(recorded, null, 2)}\n`)
