import { formatCount, formatMs } from '../base/format.ts'
import type { Vitals } from './pipeline-monitor.ts'
import type { ProbeOutcome } from './probe.ts'

/** How far behind a pipeline may be and still count as ready; `null` for no bound. */
export interface LagBounds {
  readonly rows: number | null
  readonly ageMs: number | null
}

/** One condition of readiness. */
export interface ReadinessCheck {
  readonly name: 'driver' | 'epoch' | 'store' | 'source' | 'lag'
  readonly ok: boolean
  /** For people: what was seen. */
  readonly detail: string
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly ReadinessCheck[]
}

/** A pipeline is ready when its driver runs and owns its epoch, store and source answer, and it keeps up. */
export const readinessOf = (vitals: Vitals, bounds: LagBounds): Readiness => {
  const checks = [
    driverCheck(vitals),
    epochCheck(vitals),
    probeCheck('store', withoutFencing(vitals.probes.store)),
    probeCheck('source', vitals.probes.source),
    lagCheck(vitals, bounds),
  ]
  return { ready: checks.every(({ ok }) => ok), checks }
}

const driverCheck = ({ phase, failure }: Vitals): ReadinessCheck => ({
  name: 'driver',
  ok: phase === 'running',
  detail: failure === null ? phase : `${phase}: ${failure}`,
})

const epochCheck = ({ epoch, failure, probes }: Vitals): ReadinessCheck => {
  const fenced = failure === 'FENCED' || probes.store?.error?.code === 'FENCED'
  if (epoch === null) return { name: 'epoch', ok: false, detail: 'not taken yet' }
  return { name: 'epoch', ok: !fenced, detail: fenced ? `${epoch} is fenced by a higher one` : `${epoch} is ours` }
}

/** A store that says who owns the pipeline has answered. */
const withoutFencing = (outcome: ProbeOutcome | undefined): ProbeOutcome | undefined =>
  outcome?.error?.code === 'FENCED' ? { ...outcome, error: null } : outcome

const probeCheck = (name: 'store' | 'source', outcome: ProbeOutcome | undefined): ReadinessCheck => {
  if (outcome === undefined) return { name, ok: false, detail: 'not asked yet' }
  if (outcome.error === null) return { name, ok: true, detail: `answered in ${formatMs(outcome.tookMs)}` }
  return { name, ok: false, detail: `${outcome.error.code}: ${outcome.error.message}` }
}

const lagCheck = ({ lagRows, lagAge }: Vitals, bounds: LagBounds): ReadinessCheck => {
  const seen = `${formatCount(lagRows)} rows, ${formatMs(lagAge)}`
  const tooMany = bounds.rows !== null && lagRows > bounds.rows
  const tooOld = bounds.ageMs !== null && lagAge > bounds.ageMs
  if (!tooMany && !tooOld) return { name: 'lag', ok: true, detail: seen }
  const bound = [
    ...(tooMany ? [`${formatCount(bounds.rows ?? 0)} rows`] : []),
    ...(tooOld ? [formatMs(bounds.ageMs ?? 0)] : []),
  ]
  return { name: 'lag', ok: false, detail: `${seen}: more than ${bound.join(' and ')}` }
}
