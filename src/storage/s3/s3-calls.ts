import type { S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { durationMs } from '../../base/units.ts'
import { failureOf } from './s3-errors.ts'
import type { S3StoreSettings } from './s3-settings.ts'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5000

/** One attempt at a call. */
export interface Attempt {
  /** Ends the attempt when it has taken too long; hand it to each request. */
  readonly abortSignal: AbortSignal
  /** An attempt before brought no answer and may have had its effect. */
  readonly uncertain: boolean
}

/** What calls are made with. */
export interface S3CallsOptions {
  readonly client: S3Client
  readonly settings: Pick<S3StoreSettings, 'requestTimeoutMs' | 'maxAttempts' | 'retryTimeoutMs'>
  readonly clock: Clock
  readonly random: Random
  readonly location: string
}

/**
 * Calls of an S3 store that are made again while that may help: after 5xx, lost answers and conflicts, with waits that double
 * from 50 ms to 5 s, each cut to a random part of itself ("full jitter", AWS Architecture Blog 2015), so that clients
 * which were turned away together do not come back together.
 */
export class S3Calls {
  readonly client: S3Client
  readonly #options: S3CallsOptions

  constructor(options: S3CallsOptions) {
    this.client = options.client
    this.#options = options
  }

  /** @throws STORE_FAILED after the last attempt, STORE_MISCONFIGURED at once */
  async make<T>(what: string, act: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { settings, clock, random, location } = this.#options
    const giveUpAt = clock.monotonicMs() + settings.retryTimeoutMs
    let uncertain = false
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await act({ abortSignal: AbortSignal.timeout(settings.requestTimeoutMs), uncertain })
      } catch (thrown) {
        const failure = failureOf(what, location, thrown)
        const wait = random.next() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1))
        const over = attempt >= settings.maxAttempts || clock.monotonicMs() + wait > giveUpAt
        if (!failure.again || over) throw failure.error
        uncertain ||= failure.uncertain
        await clock.sleep(durationMs(wait))
      }
    }
  }
}
