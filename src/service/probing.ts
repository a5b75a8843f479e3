import type { Clock } from '../base/clock.ts'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import type { DurationMs } from '../base/units.ts'
import type { ProbeOutcome } from '../observe/probe.ts'

export interface Probing {
  readonly ask: () => Promise<void>
  /** Told each answer, and that there is none yet. */
  readonly tell: (outcome: ProbeOutcome) => void
  readonly intervalMs: DurationMs
  readonly timeoutMs: DurationMs
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Asks again and again until the signal. One question is under way at a time: where an answer is late, that is told, and it is
 * waited for, so that whoever does not answer is not flooded and the first sign of life counts.
 */
export const keepProbing = (probing: Probing): void => {
  probeUntilAborted(probing).catch(() => undefined)
}

const probeUntilAborted = async (probing: Probing): Promise<void> => {
  const { clock, signal, intervalMs } = probing
  while (!signal.aborted) {
    await probeOnce(probing)
    await clock.sleep(intervalMs, signal)
  }
}

const probeOnce = async ({ ask, tell, timeoutMs, clock, signal }: Probing): Promise<void> => {
  const startedAt = clock.monotonicMs()
  const took = (): number => clock.monotonicMs() - startedAt
  const answered = new AbortController()
  const answer = ask().then(
    () => ({ error: null, tookMs: took() }),
    (thrown: unknown) => ({ error: asMillraceError(thrown), tookMs: took() }),
  )
  clock.sleep(timeoutMs, AbortSignal.any([signal, answered.signal])).then(
    () => tell({ error: noAnswer(timeoutMs), tookMs: took() }),
    () => undefined,
  )
  const outcome = await answer
  answered.abort()
  if (!signal.aborted) tell(outcome)
}

const noAnswer = (timeoutMs: DurationMs): MillraceError =>
  new MillraceError('PROBE_TIMEOUT', `there was no answer within ${timeoutMs} ms`, {
    remedy: 'Look at the broker or the store; raise service.probeTimeout where it is only slow.',
    details: { timeoutMs },
  })
