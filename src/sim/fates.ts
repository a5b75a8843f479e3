/** What becomes of one call to the store or the source. */
export type Fate =
  | { readonly kind: 'served' }
  /** Refused before it had an effect: 503, 409, a leader that changed, a connection that was refused. */
  | { readonly kind: 'refused' }
  /** It had its effect, and the answer never came. */
  | { readonly kind: 'answerLost' }
  /** The caller has given it up when it has its effect. */
  | { readonly kind: 'late' }
  /** The answer was lost on the way, the client asked again by itself, and tells what the second request brought. */
  | { readonly kind: 'repeated' }
  /** Its answer takes long. */
  | { readonly kind: 'slow' }
  /** The process dies before the call has its effect, or after it and before the answer. */
  | { readonly kind: 'crashBefore' }
  | { readonly kind: 'crashAfter' }
  /** The process is stopped before the call has its effect, or after it, and wakes much later beside its successor. */
  | { readonly kind: 'pausedBefore' }
  | { readonly kind: 'pausedAfter' }

export type FateKind = Fate['kind']

export const FATE_KINDS: readonly FateKind[] = [
  'served',
  'refused',
  'answerLost',
  'late',
  'repeated',
  'slow',
  'crashBefore',
  'crashAfter',
  'pausedBefore',
  'pausedAfter',
]

/** A call as whoever decides its fate sees it. */
export interface CallSite {
  /** Number of the process that calls. */
  readonly process: number
  /** How many calls that process made before. */
  readonly index: number
  readonly target: 'store' | 'source' | 'redis'
  readonly name: string
  /** The key or partition that it is about. */
  readonly about: string
}

/** Decides on every call. */
export type FateOf = (call: CallSite) => FateKind

/** How many milliseconds a call needs until its effect, and from there until its answer. */
export interface Latency {
  readonly toEffect: number
  readonly toAnswer: number
}
