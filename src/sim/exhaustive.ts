import type { CallSite, FateKind, FateOf } from './fates.ts'
import { NO_FAULTS } from './fault-mix.ts'
import { runSeed, type SeedOptions, type SeedOutcome } from './run-seed.ts'
import type { Subject } from './subject.ts'

/** One call of the first driver with what becomes of it. */
export interface Scheduled {
  readonly call: number
  readonly fate: FateKind
}

/** What a call may come to without its process dying. */
const OUTCOMES: readonly FateKind[] = ['refused', 'answerLost', 'late', 'repeated', 'slow']
/** How a process may go out at a call. */
const WAYS_OUT: readonly FateKind[] = ['crashBefore', 'crashAfter', 'pausedBefore', 'pausedAfter']

const BRIEF = { ...NO_FAULTS, length: 'brief' } as const

/**
 * Everything that can go wrong once in two batches, before a crash or without one: each outcome of each call of the first
 * driver, alone and with each way out at each later call, and each way out alone.
 */
export const exhaustiveSchedules = function* (calls: number): Generator<readonly Scheduled[]> {
  for (let call = 0; call < calls; call += 1) {
    for (const fate of WAYS_OUT) yield [{ call, fate }]
    for (const fate of OUTCOMES) {
      yield [{ call, fate }]
      for (let last = call + 1; last < calls; last += 1) {
        for (const out of WAYS_OUT)
          yield [
            { call, fate },
            { call: last, fate: out },
          ]
      }
    }
  }
}

/** How many calls the first driver makes for the two batches of a seed in which nothing fails. */
export const callsOfTwoBatches = async (subject: Subject, seed: number, options: SeedOptions): Promise<number> => {
  let calls = 0
  const fateOf: FateOf = ({ process, index }) => {
    if (process === FIRST) calls = Math.max(calls, index + 1)
    return 'served'
  }
  await runSeed(subject, seed, { ...options, faults: BRIEF, fateOf })
  return calls
}

/** A seed with two batches in which the first driver meets exactly this. */
export const runSchedule = (
  subject: Subject,
  seed: number,
  schedule: readonly Scheduled[],
  options: SeedOptions,
): Promise<SeedOutcome> => {
  const fateOf: FateOf = ({ process, index }: CallSite) =>
    (process === FIRST ? schedule.find(each => each.call === index)?.fate : undefined) ?? 'served'
  return runSeed(subject, seed, { ...options, faults: BRIEF, fateOf })
}

/** Number of the process that starts first. */
const FIRST = 1
