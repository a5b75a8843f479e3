import { AssertionError, deepStrictEqual } from 'node:assert'

/**
 * One promise of a port. For any test framework: `for (const each of promises) test(each.name, each.run)`. `run` rejects
 * with an `AssertionError` where the promise is not kept.
 */
export interface ConformancePromise {
  readonly name: string
  readonly run: () => Promise<void>
}

/** A promise as it is written down: over what was opened for it alone. */
export type Case<Opened> = readonly [name: string, check: (opened: Opened) => Promise<void>]

/** Gives each case what it asks for, and closes that again. */
export const promisesOf = <Opened>(
  subject: string,
  cases: readonly Case<Opened>[],
  open: () => Opened | Promise<Opened>,
  close: (opened: Opened) => Promise<void>,
): readonly ConformancePromise[] =>
  cases.map(([name, check]) => ({
    name: `${subject} ${name}`,
    run: async () => {
      const opened = await open()
      try {
        await check(opened)
      } finally {
        await close(opened)
      }
    },
  }))

/** Both hold the same values; whose arrays hold the bytes is all the same. */
export const equal = (actual: unknown, expected: unknown): void => deepStrictEqual(plain(actual), plain(expected))

/** Of these fields, both hold the same values. */
export const matches = (actual: object, expected: object): void =>
  equal(Object.fromEntries(Object.entries(actual).filter(([name]) => name in expected)), expected)

/** What must be so. */
export const holds = (condition: boolean, what: string): void => {
  if (!condition) throw new AssertionError({ message: what, actual: false, expected: true, operator: 'holds' })
}

/** The work is refused with an error of this code, whichever copy of Millrace its class is from. */
export const refuses = async (work: Promise<unknown>, code: string): Promise<void> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof Error && !('code' in error)) throw error
  equal(error instanceof Error && 'code' in error ? error.code : 'no error', code)
}

/** Every item of a listing. */
export const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]))
}
