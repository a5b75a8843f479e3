import { MillraceError } from '../../src/base/errors.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'

/** What becomes of the call with this number: the process dies before or after its effect. */
export interface CrashPoint {
  readonly call: number
  readonly when: 'before' | 'after'
}

/** The process is gone: nothing that it would have done afterwards happens. */
export class Crash extends Error {}

const CALLS = ['createOnly', 'getVersioned', 'replace', 'get', 'head', 'remove', 'stage', 'publish', 'discard'] as const

/** A store with something around each of its calls; `call` has the effect. Listings pass. */
export const interceptedStore = (
  store: ObjectStore,
  around: (call: () => Promise<unknown>, name: (typeof CALLS)[number], args: readonly unknown[]) => Promise<unknown>,
): ObjectStore => {
  const wrapped = {
    location: store.location,
    conditionalWrites: store.conditionalWrites,
    list: (prefix: string) => store.list(prefix),
    listStaged: (prefix: string) => store.listStaged(prefix),
  }
  for (const name of CALLS) {
    const call = (store[name] as (...args: unknown[]) => Promise<unknown>).bind(store)
    Object.assign(wrapped, { [name]: (...args: unknown[]) => around(() => call(...args), name, args) })
  }
  return wrapped as ObjectStore
}

/** A store whose user dies at one call, and reaches nothing of it afterwards. `calls` counts all calls so far. */
export const crashingStore = (store: ObjectStore, point: CrashPoint | null) => {
  const state = { calls: 0, dead: false }
  const crash = (): never => {
    state.dead = true
    throw new Crash(`crashed at call ${state.calls}`)
  }
  const crashing = interceptedStore(store, async call => {
    if (state.dead) throw new Crash('this process is gone')
    // others may begin before this one is done
    const number = ++state.calls
    if (point?.call === number && point.when === 'before') crash()
    const result = await call()
    if (point?.call === number && point.when === 'after') crash()
    return result
  })
  return { store: crashing, state }
}

/** A store some of whose calls fail: before their effect, or with their answer lost after it. */
export const unreliableStore = (store: ObjectStore, fails: () => 'no' | 'before' | 'after'): ObjectStore =>
  interceptedStore(store, async call => {
    const failure = fails()
    if (failure === 'before') throw lost()
    const result = await call()
    if (failure === 'after') throw lost()
    return result
  })

const lost = () => new MillraceError('STORE_FAILED', 'the store did not answer', { remedy: 'try again' })
