/** The named crash points, in the order in which a batch passes them. */
export const CRASH_POINTS = {
  c1: 'plan chosen',
  c2: 'plan written',
  c3: 'fetched',
  c4: 'computed',
  c5: 'parts half uploaded',
  c6: 'all prepared',
  c7: 'commit written',
  c8: 'half published',
  c9: 'all published',
  c10: 'Redis updated',
} as const
export type CrashPoint = keyof typeof CRASH_POINTS

/** What a call of a driver to its store is in the path of a batch. */
export type StoreStep = 'plan' | 'begin' | 'part' | 'commit' | 'complete' | 'other'

/** Tells by method and address alone what a call is. */
export const storeStep = (method: string, url: string): StoreStep => {
  const { pathname, searchParams } = new URL(url, 'http://store')
  if (searchParams.has('uploadId')) {
    return method === 'PUT' ? 'part' : method === 'POST' ? 'complete' : 'other'
  }
  if (method === 'POST' && searchParams.has('uploads')) return 'begin'
  if (method !== 'PUT') return 'other'
  if (/\/offsets\/\d{12}\.json$/.test(pathname)) return 'plan'
  return /\/commits\/\d{12}\.json$/.test(pathname) ? 'commit' : 'other'
}

/**
 * Follows one driver's calls to its store and tells when it stands at a crash point: before a call has had its effect
 * (c1, c4, c6), or after the effect and before the driver knows (c2, c5, c7, c8, c9). c3 lies in a worker and c10 in Redis.
 */
export class BatchFollower {
  #begun = 0
  #begins = 0
  #partsDone = 0
  #toPublish = 0
  #completes = 0
  #completed = 0

  /** A call has come and the store has not seen it. */
  arrived(step: StoreStep): CrashPoint | null {
    switch (step) {
      case 'plan':
        return 'c1'
      case 'begin':
        this.#begins += 1
        return this.#begins === 1 ? 'c4' : null
      case 'commit':
        return 'c6'
      case 'complete':
        this.#completes += 1
        return null
      default:
        return null
    }
  }

  /** The store has done what the call asks for, and the driver has not heard of it. */
  done(step: StoreStep): CrashPoint | null {
    switch (step) {
      case 'plan':
        return 'c2'
      case 'begin':
        this.#begun += 1
        return null
      case 'part':
        this.#partsDone += 1
        return this.#partsDone === 1 && this.#begun > 1 ? 'c5' : null
      case 'commit':
        this.#toPublish = this.#begun
        this.#begun = this.#begins = this.#partsDone = this.#completes = this.#completed = 0
        return 'c7'
      case 'complete':
        this.#completed += 1
        if (this.#completed === 1 && this.#completes > 1) return 'c8'
        return this.#completed === this.#toPublish ? 'c9' : null
      default:
        return null
    }
  }
}
