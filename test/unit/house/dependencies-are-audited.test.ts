import { expect, it } from 'vitest'
import { verdictOf } from '../../../scripts/audit.mjs'

const NONE = { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0 }
const report = (counts: Partial<typeof NONE>, vulnerabilities = {}): string =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: { ...NONE, ...counts } } })

it('no known vulnerability, or only lesser ones, pass and are told', () => {
  expect(verdictOf(report({}))).toEqual({ kind: 'clean', why: 'none known' })
  expect(verdictOf(report({ low: 2, moderate: 1, total: 3 }))).toEqual({ kind: 'clean', why: '2 low, 1 moderate' })
})

it.each(['high', 'critical'] as const)('one of level %s fails and is named', severity => {
  const { kind, why } = verdictOf(report({ [severity]: 1, total: 1 }, { leftpad: { name: 'leftpad', severity } }))
  expect(kind).toBe('vulnerable')
  expect(why).toContain(`leftpad (${severity})`)
  expect(verdictOf(report({ [severity]: 1 })).kind).toBe('vulnerable')
})

it.each(['', 'not json', '{}', '{"error":{"summary":""}}', '{"message":"405 - POST https://user:secret@host/path"}'])(
  'an answer that is no report is never taken for a clean one: %j',
  text => {
    const { kind, why } = verdictOf(text)
    expect(kind).toBe('unknown')
    expect(why).not.toContain('secret')
  },
)
