import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { regressions, TOLERANCE, withFigures } from '../../../bench/guard.ts'
import { measureProcess, waitedForTicks } from '../../../bench/measure/process-cost.ts'
import { median, quantile } from '../../../bench/measure/statistics.ts'
import { type Figure, figureOf, targetOf } from '../../../bench/report.ts'

const figure = (ratio: number, correct = true): Figure =>
  figureOf(
    { job: 'drain', size: 'small', validate: 'fields', eventBytes: 380, correct },
    [{ cpuSeconds: ratio, wallSeconds: 2, peakRssMiB: 100, stdout: '' }],
    1_000_000,
    1,
  )

describe('what a process cost', () => {
  it('is its user and system time and its memory at the peak, from start to exit', async () => {
    const burn =
      'const until = process.cpuUsage().user + 1e5; while (process.cpuUsage().user < until); globalThis.a = Buffer.alloc(1e8, 1)'
    const cost = await measureProcess({ program: process.execPath, args: ['-e', `${burn}; setTimeout(() => {}, 100)`] })
    expect(cost.cpuSeconds).toBeGreaterThan(0.1)
    expect(cost.cpuSeconds).toBeLessThan(3)
    expect(cost.peakRssMiB).toBeGreaterThan(95)
    expect(cost.wallSeconds).toBeGreaterThan(0.2)
  })

  it('is not told of a process that failed', async () => {
    const failing = { program: process.execPath, args: ['-e', 'console.error("no such thing"); process.exit(3)'] }
    await expect(measureProcess(failing)).rejects.toThrow(/ended with 3[\s\S]*no such thing/)
  })

  it('finds the times of children behind a name with blanks and brackets', () => {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/\(.*\)/s, '(a ) b)')
      .split(' ')
    fields[17] = '120'
    fields[18] = '3'
    expect(waitedForTicks(fields.join(' '))).toBe(123)
  })
})

describe('figures', () => {
  it('are medians, and quantiles are values that were measured', () => {
    expect(median([5, 1, 3])).toBe(3)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2)
    expect(quantile([1, 2, 3, 4], 0.99)).toBe(4)
  })

  it('have a target that grows where every byte is checked', () => {
    expect(targetOf({ job: 'window', size: 'large', validate: 'fields' })).toBe(1.6)
    expect(targetOf({ job: 'window', size: 'large', validate: 'row' })).toBe(3.1)
    expect(targetOf({ job: 'kafkajs', size: 'large', validate: 'row' })).toBeNull()
  })
})

describe('the regression guard', () => {
  const recorded = withFigures({}, [figure(1)])

  it('lets a ratio scatter, and names one that is beyond that', () => {
    expect(regressions([figure(1 + TOLERANCE)], recorded)).toEqual([])
    expect(regressions([figure(1.01 + TOLERANCE)], recorded)).toEqual(['drain small fields: ratio 1.26 instead of 1'])
  })

  it('takes no wrong answer for a fast one, whatever is on record', () => {
    expect(regressions([figure(0.1, false)], {})).toEqual(['drain small fields: the answer is wrong'])
  })

  it('keeps what was not measured this time', () => {
    expect(withFigures({ 'land small fields': 3 }, [figure(1)])).toEqual({
      'drain small fields': 1,
      'land small fields': 3,
    })
  })
})
