import { MillraceError } from '../base/errors.ts'
import { nearestName } from '../base/nearest-name.ts'

/**
 * Refuses options that do not exist. The compiler does so as well, but pipeline files are bundled without it, and an
 * option that is silently passed over costs more than one that is refused.
 * @param of The function, for the message
 * @param known All of its options; the compiler sees to it that none is forgotten
 * @throws INVALID_PIPELINE with the nearest name
 */
export const checkOptions = <Options extends object>(
  of: string,
  options: Options,
  known: Readonly<Record<keyof Options, true>>,
): void => {
  const unknown = Object.keys(options).find(name => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const nearest = nearestName(unknown, Object.keys(known))
  throw new MillraceError('INVALID_PIPELINE', `${of} has no option ${JSON.stringify(unknown)}`, {
    remedy: nearest === null ? `Use one of: ${Object.keys(known).join(', ')}.` : `Did you mean ${nearest}?`,
  })
}

/** Lets a value pass that is one of `allowed`. @throws INVALID_PIPELINE */
export const oneOf = <T extends string>(value: T, allowed: readonly T[], what: string): T => {
  if (allowed.includes(value)) return value
  throw new MillraceError('INVALID_PIPELINE', `${what} can't be ${JSON.stringify(value)}`, {
    remedy: `Use one of: ${allowed.join(', ')}.`,
  })
}

/** Lets a whole number above 0 pass; `null` where it was left out. @throws INVALID_PIPELINE */
export const positive = (value: number | undefined, what: string): number | null => {
  if (value === undefined) return null
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new MillraceError('INVALID_PIPELINE', `${what} must be a whole number above 0, not ${value}`, {
    remedy: `Leave ${what} out, or set it to 1 or more.`,
  })
}
