import { MillraceError } from '../../src/base/errors.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'

/** What becomes of the call with this number: the process dies before or after its effect. */
export interface CrashPoint {
  readonly call: number
  readonly when: 'before' | 'after'
}

/** The process is gone: nothing that it would have done afterwards happens. */
export class Crash extends Error {}

const CRASHABLE = ['createOnly', 'get', 'head', 'remove', 'stage', 'publish', 'discard'] as const

/** A store whose user dies at one call, and reaches nothing of it afterwards. `calls` counts all calls so far. */
export const crashingStore = (store: ObjectStore, point: CrashPoint | null) => {
  const state = { calls: 0, dead: false }
  const crash = (): never => {
    state.dead = true
    throw new Crash(`crashed at call ${state.calls}`)
  }
  const wrapped = {
    ...bound(store),
    list: (prefix: string) => store.list(prefix),
    listStaged: (prefix: string) => store.listStaged(prefix),
    location: store.location,
  }
  for (const name of CRASHABLE) {
    const call = wrapped[name] as (...args: unknown[]) => Promise<unknown>
    Object.assign(wrapped, {
      [name]: async (...args: unknown[]) => {
        if (state.dead) throw new Crash('this process is gone')
        state.calls += 1
        if (point?.call === state.calls && point.when === 'before') crash()
        const result = await call(...args)
        if (point?.call === state.calls && point.when === 'after') crash()
        return result
      },
    })
  }
  return { store: wrapped as ObjectStore, state }
}

/** A store some of whose calls fail: before their effect, or with their answer lost after it. */
export const unreliableStore = (store: ObjectStore, fails: () => 'no' | 'before' | 'after'): ObjectStore => {
  const wrapped = {
    ...bound(store),
    list: (prefix: string) => store.list(prefix),
    listStaged: (prefix: string) => store.listStaged(prefix),
    location: store.location,
  }
  for (const name of CRASHABLE) {
    const call = wrapped[name] as (...args: unknown[]) => Promise<unknown>
    Object.assign(wrapped, {
      [name]: async (...args: unknown[]) => {
        const failure = fails()
        if (failure === 'before') throw lost()
        const result = await call(...args)
        if (failure === 'after') throw lost()
        return result
      },
    })
  }
  return wrapped as ObjectStore
}

const lost = () => new MillraceError('STORE_FAILED', 'the store did not answer', { remedy: 'try again' })

const bound = (store: ObjectStore): ObjectStore => ({
  location: store.location,
  createOnly: (...args) => store.createOnly(...args),
  get: key => store.get(key),
  head: key => store.head(key),
  list: prefix => store.list(prefix),
  remove: key => store.remove(key),
  stage: (...args) => store.stage(...args),
  publish: staged => store.publish(staged),
  discard: staged => store.discard(staged),
  listStaged: prefix => store.listStaged(prefix),
})
