import { describe, expect, it } from 'vitest'
import { ERROR_KINDS, type ErrorCode, MillraceError } from '../../../src/base/errors.ts'
import type { Provocations } from './fixtures/provocation.ts'
import { ROW_ERRORS } from './fixtures/provoke-row-errors.ts'
import { SERVICE_ERRORS } from './fixtures/provoke-service-errors.ts'
import { SOURCE_ERRORS } from './fixtures/provoke-source-errors.ts'
import { STORAGE_ERRORS } from './fixtures/provoke-storage-errors.ts'
import { USER_ERRORS } from './fixtures/provoke-user-errors.ts'

/** How each code comes about in the product itself. A code that is missing here does not compile. */
const PROVOKED = {
  ...USER_ERRORS,
  ...SOURCE_ERRORS,
  ...ROW_ERRORS,
  ...STORAGE_ERRORS,
  ...SERVICE_ERRORS,
} satisfies Provocations<ErrorCode>

/** The line of the stack that made the error. */
const madeIn = (error: Error): string => (error.stack ?? '').split('\n').find(line => /^\s+at /.test(line)) ?? ''

describe('every error code is thrown by the product', () => {
  it('and the table knows no other', () => {
    expect(Object.keys(PROVOKED).toSorted()).toEqual(Object.keys(ERROR_KINDS).toSorted())
  })

  it('VIEW_CONFLICT is told, as a view never stops its stream', async () => {
    expect(await PROVOKED.VIEW_CONFLICT()).toContain('VIEW_CONFLICT')
  })

  const thrown = Object.entries(PROVOKED).filter(([code]) => code !== 'VIEW_CONFLICT')
  it.each(thrown)('%s, with a message and a remedy', async (code, provoke) => {
    const error = await Promise.resolve()
      .then(provoke)
      .then(
        () => null,
        (thrown: unknown) => thrown,
      )
    expect(error).toBeInstanceOf(MillraceError)
    const { message, remedy, stack } = error as MillraceError
    expect({ code: (error as MillraceError).code, stack }).toMatchObject({ code })
    expect(message.length).toBeGreaterThan(5)
    expect(remedy).toMatch(/^[A-Z].*[.)`]$/s)
    expect(madeIn(error as MillraceError), 'it was made by the product, not by a test').toContain('/src/')
  })
})
