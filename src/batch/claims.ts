import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/errors.ts'
import { formatHour, type TimeRange } from '../base/hours.ts'
import { type DurationMs, durationMs, type EpochMs } from '../base/units.ts'
import { decodeEntry, encodeEntry } from '../checkpoint/entry-codec.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { batchLayout } from './batch-layout.ts'
import { getGuarded, replaceGuarded } from './guarded-object.ts'
import { batchLogDamaged } from './hour-record.ts'

/** A claim that was not renewed for so long is void. */
export const CLAIM_LEASE_MS: DurationMs = durationMs(30_000)
/** Times that a change is tried again because somebody else changed the claims first. */
const MAX_CONFLICTS = 50

/** The process that made a claim. */
export interface Claimant {
  readonly runId: string
  readonly host: string
  readonly pid: number
}

/** Hours that a run works on: nobody else may, until the claim is released or its heartbeat stops. */
export interface Claim extends TimeRange, Claimant {
  readonly epoch: number
  readonly heartbeatAt: EpochMs
}

interface Claims {
  readonly nextEpoch: number
  readonly claims: readonly Claim[]
}

/** What claims are made with. */
export interface ClaimOptions {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly pipeline: string
  readonly claimant: Claimant
  /** Whether the process is known to have ended: one of this machine that is not there any more. */
  readonly hasEnded: (claimant: Claimant) => boolean
}

/** A claim that is held. */
export interface HeldClaim {
  readonly epoch: number
  /** Renews it; call it several times within the lease. @throws FENCED where it was taken over */
  renew(): Promise<void>
  release(): Promise<void>
}

/**
 * Claims hours of a pipeline. All claims lie in one small object that is only replaced under its version.
 * @throws HOURS_CLAIMED where another run works on some of them
 */
export const claimHours = async (range: TimeRange, options: ClaimOptions): Promise<HeldClaim> => {
  const { clock, claimant } = options
  let epoch = 0
  await changeClaims(options, ({ nextEpoch, claims }) => {
    const live = claims.filter(claim => !isVoid(claim, options))
    const other = live.find(claim => claim.from < range.until && range.from < claim.until)
    if (other !== undefined) throw claimed(other, options.pipeline, clock.nowMs())
    epoch = nextEpoch
    const { from, until } = range
    const own: Claim = { from, until, ...claimant, epoch, heartbeatAt: clock.nowMs() }
    return { nextEpoch: nextEpoch + 1, claims: [...live, own] }
  })
  const isOwn = (claim: Claim) => claim.epoch === epoch
  return {
    epoch,
    renew: () =>
      changeClaims(options, ({ nextEpoch, claims }) => {
        if (!claims.some(isOwn)) throw lost(range, claimant)
        const heartbeatAt = clock.nowMs()
        return { nextEpoch, claims: claims.map(claim => (isOwn(claim) ? { ...claim, heartbeatAt } : claim)) }
      }),
    release: () =>
      changeClaims(options, ({ nextEpoch, claims }) => ({
        nextEpoch,
        claims: claims.filter(claim => !isOwn(claim)),
      })),
  }
}

const isVoid = (claim: Claim, { clock, hasEnded }: ClaimOptions): boolean =>
  clock.nowMs() - claim.heartbeatAt > CLAIM_LEASE_MS || hasEnded(claim)

const changeClaims = async (options: ClaimOptions, change: (claims: Claims) => Claims): Promise<void> => {
  const key = batchLayout(options.pipeline).claims
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    const there = await getGuarded(options, key)
    const before = there === null ? { nextEpoch: 1, claims: [] } : readClaims(key, there.bytes)
    const bytes = encodeEntry(change(before))
    if ((await replaceGuarded(options, key, bytes, there?.version ?? null)) !== 'conflict') return
  }
  throw new MillraceError('STORE_FAILED', `${key} is changed by others all the time`, {
    remedy: 'Check how many backfills of this pipeline run, and start fewer.',
    details: { key },
  })
}

const readClaims = (key: string, bytes: Uint8Array): Claims => {
  try {
    const claims = decodeEntry(key, bytes) as unknown as Claims
    assert(Number.isSafeInteger(claims.nextEpoch) && Array.isArray(claims.claims), 'it holds claims')
    return claims
  } catch (error) {
    throw batchLogDamaged(key, error)
  }
}

const hours = ({ from, until }: TimeRange): string => `${formatHour(from)} to ${formatHour(until)}`

const claimed = (claim: Claim, pipeline: string, now: EpochMs): MillraceError =>
  new MillraceError(
    'HOURS_CLAIMED',
    `the hours ${hours(claim)} of ${pipeline} are being computed by run ${claim.runId} ` +
      `(process ${claim.pid} on ${claim.host}, last heard of ${Math.round((now - claim.heartbeatAt) / 1000)} s ago)`,
    {
      remedy: `Wait until it has ended, or choose other hours. A run that died is forgotten after ${CLAIM_LEASE_MS / 1000} s.`,
      details: { runId: claim.runId, host: claim.host, pid: claim.pid },
    },
  )

const lost = (range: TimeRange, { runId }: Claimant): MillraceError =>
  new MillraceError('FENCED', `run ${runId} was not heard of for too long and has lost the hours ${hours(range)}`, {
    remedy: 'Start it again; hours that it has finished are kept.',
    details: { runId },
  })
