import type { Random } from '../base/random.ts'
import { FATE_KINDS, type FateKind } from './fates.ts'

/** Which faults a seed has, and how often. Probabilities are per call unless they say otherwise. */
export interface FaultMix {
  readonly fates: Readonly<Record<Exclude<FateKind, 'served'>, number>>
  /** Kills at moments when nothing is asked of store or source as well: times in milliseconds. */
  readonly kills: readonly number[]
  /** Second drivers that somebody starts although one runs. */
  readonly overlaps: readonly number[]
  /** Orders to end after the batch in flight, as SIGTERM does. */
  readonly stops: readonly number[]
  /** Listings may show what was there so many milliseconds ago. */
  readonly staleListingMs: number
  /** Jumps of wall clocks: times, and by how many milliseconds. */
  readonly clockJumps: readonly { readonly at: number; readonly byMs: number }[]
  /** Share of appends that leave a gap: aborted transactions, control records, compacted keys. */
  readonly gaps: number
  /** Share of records that can't be decoded. */
  readonly badRecords: number
  /** Share of records with an event time years ahead. */
  readonly futureTimes: number
  /** Probability per look that a new leader does not know the end of a partition yet. */
  readonly laggingLeader: number
  /** When a partition is added. */
  readonly newPartitions: readonly number[]
  /** When retention deletes everything that is there, read or not; `null` for never. */
  readonly retentionAt: number | null
  /** When a partition loses its end for good; `null` for never. */
  readonly truncationAt: number | null
  /** When a lifecycle rule aborts every upload that is not complete; `null` for never. */
  readonly lifecycleAt: number | null
  /** What befalls Redis: emptied, brought back to an earlier state, claims what never was, away for five seconds. */
  readonly redis: readonly { readonly at: number; readonly what: RedisMishap }[]
  /** Whether a restart may find other code, and another number of workers. */
  readonly changesCode: boolean
  readonly changesWorkers: boolean
  /**
   * `brief`: two batches, for exhaustive runs. `short` and `usual`: about three and eight batches. `long`: so many small ones
   * that the logs are pruned.
   */
  readonly length: 'brief' | DrawnLength | 'long'
}

/** What seeds draw: most mistakes need few batches, and a short world costs a third of a usual one. */
export type DrawnLength = 'short' | 'usual'
const USUAL = 0.2

const REDIS_MISHAPS = ['flush', 'rollBack', 'lie', 'away'] as const
export type RedisMishap = (typeof REDIS_MISHAPS)[number]

const RATES = [0.004, 0.015, 0.05]

/** A world in which nothing fails. */
export const NO_FAULTS: FaultMix = Object.freeze({
  fates: Object.fromEntries(FATE_KINDS.map(kind => [kind, 0])) as FaultMix['fates'],
  kills: [],
  overlaps: [],
  stops: [],
  staleListingMs: 0,
  clockJumps: [],
  gaps: 0,
  badRecords: 0,
  futureTimes: 0,
  laggingLeader: 0,
  newPartitions: [],
  retentionAt: null,
  truncationAt: null,
  lifecycleAt: null,
  redis: [],
  changesCode: false,
  changesWorkers: false,
  length: 'usual',
})

/**
 * Draws the faults of a seed. Each kind is there in about half of the seeds and absent in the others (swarm testing, Groce et
 * al. 2012): a kind that is always there keeps others from ever getting far.
 */
export const drawFaults = (random: Random, faultsEndMs: (length: DrawnLength) => number): FaultMix => {
  const has = (share = 0.5): boolean => random.next() < share
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T
  const length = has(USUAL) ? 'usual' : 'short'
  const rate = (share?: number): number => (has(share) ? pick(RATES) : 0)
  const moment = (): number => Math.floor(random.next() * faultsEndMs(length))
  const moments = (share: number, most: number): readonly number[] =>
    has(share) ? Array.from({ length: 1 + Math.floor(random.next() * most) }, moment) : []
  const fates = Object.fromEntries(FATE_KINDS.map(kind => [kind, kind === 'served' ? 0 : rate()])) as FaultMix['fates']
  return {
    fates,
    kills: moments(0.4, 4),
    overlaps: moments(0.3, 3),
    stops: moments(0.2, 2),
    staleListingMs: has(0.3) ? pick([500, 5000]) : 0,
    clockJumps: moments(0.3, 3).map(at => ({ at, byMs: pick([-3_600_000, -1000, 2000, 86_400_000]) })),
    gaps: has() ? pick([0.1, 0.5]) : 0,
    badRecords: has(0.3) ? 0.05 : 0,
    laggingLeader: rate(0.3),
    newPartitions: moments(0.3, 2),
    retentionAt: has(0.04) ? moment() : null,
    truncationAt: has(0.04) ? moment() : null,
    lifecycleAt: has(0.04) ? moment() : null,
    redis: moments(0.5, 4).map(at => ({ at, what: pick(REDIS_MISHAPS) })),
    changesCode: has(),
    changesWorkers: has(),
    futureTimes: has(0.3) ? 0.05 : 0,
    length,
  }
}

/** The faults that a seed has, for the head of its trace. */
export const describeFaults = ({ fates, ...others }: FaultMix): string =>
  Object.entries({ ...fates, ...others })
    .filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value !== 0 && value !== null && value !== false))
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
