import { describe, expect, it } from 'vitest'
import { hourRange } from '../../../src/base/hours.ts'
import { epochMs } from '../../../src/base/units.ts'
import { CLAIM_LEASE_MS, type Claimant, claimHours } from '../../../src/batch/claims.ts'
import { HourLog } from '../../../src/batch/hour-log.ts'
import { memoryObjectStore } from '../../../src/storage/memory/memory-object-store.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { HOUR, START } from './fixtures/events-pipeline.ts'

const hour = (at: number) => epochMs(START + at * HOUR)
const hours = (from: number, until: number) => ({ from: hour(from), until: hour(until) })
const claimant = (runId: string): Claimant => ({ runId, host: 'a-host', pid: 42 })

const claims = (ended: readonly string[] = []) => {
  const store = memoryObjectStore()
  const clock = new VirtualClock()
  const claim = (runId: string, from: number, until: number) =>
    claimHours(hours(from, until), {
      store,
      clock,
      pipeline: 'plays',
      claimant: claimant(runId),
      hasEnded: ({ runId: other }) => ended.includes(other),
    })
  return { store, clock, claim }
}

describe('claimed hours', () => {
  it('are refused to a second run that overlaps, which is told whose they are', async () => {
    const { claim } = claims()
    await claim('first', 0, 4)
    for (const [from, until] of [
      [0, 4],
      [3, 9],
      [1, 2],
      [-5, 1],
    ] as const) {
      await expect(claim('second', from, until)).rejects.toMatchObject({
        code: 'HOURS_CLAIMED',
        message: expect.stringMatching(/2026-01-15T10 to 2026-01-15T14.*run first.*process 42 on a-host/s),
      })
    }
    await expect(claim('third', 4, 6)).resolves.toBeDefined()
  })

  it('are free again once released, once the run is known to be dead, and once it was not heard of for the lease', async () => {
    const released = claims()
    await (await released.claim('first', 0, 4)).release()
    await expect(released.claim('second', 0, 4)).resolves.toMatchObject({ epoch: 2 })
    const dead = claims(['first'])
    await dead.claim('first', 0, 4)
    await expect(dead.claim('second', 0, 4)).resolves.toBeDefined()
    const silent = claims()
    const first = await silent.claim('first', 0, 4)
    silent.clock.advance(CLAIM_LEASE_MS / 2)
    await first.renew()
    silent.clock.advance(CLAIM_LEASE_MS)
    await expect(silent.claim('second', 0, 4)).rejects.toMatchObject({ code: 'HOURS_CLAIMED' })
    silent.clock.advance(1)
    await expect(silent.claim('second', 0, 4)).resolves.toBeDefined()
    await expect(first.renew()).rejects.toMatchObject({ code: 'FENCED' })
  })

  it('go to exactly one of many that ask at once', async () => {
    const { claim } = claims()
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => claim(`run-${at}`, 0, 2)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('an hour’s record', () => {
  it('fences a run that was paused while a later one took the hour', async () => {
    const io = { store: memoryObjectStore(), clock: new VirtualClock() }
    const log = new HourLog(io, 'plays')
    const { from } = hourRange(hour(0))
    const paused = { runId: 'paused', epoch: 1 }
    const planned = await log.plan(from, null, paused, [])
    const later = { runId: 'later', epoch: 2 }
    const taken = await log.plan(from, await log.read(from), later, [])
    const result = { source: 'landed', rowsRead: 0, tables: [] } as const
    await expect(log.commit(from, planned, result)).rejects.toMatchObject({ code: 'FENCED' })
    await expect(log.plan(from, await log.read(from), paused, [])).rejects.toMatchObject({ code: 'FENCED' })
    await expect(log.fail(from, paused, new Error('x'))).rejects.toMatchObject({ code: 'FENCED' })
    const committed = await log.commit(from, taken, result)
    expect(committed.record).toMatchObject({ published: { generation: 2, runId: 'later' } })
  })

  it('that is damaged is named', async () => {
    const io = { store: memoryObjectStore(), clock: new VirtualClock() }
    const log = new HourLog(io, 'plays')
    await log.plan(hour(0), null, { runId: 'r', epoch: 1 }, [])
    const key = '_batch/plays/hours/2026-01-15T10.json'
    const bytes = (await io.store.get(key)) ?? new Uint8Array()
    bytes[60] = (bytes[60] ?? 0) ^ 1
    await io.store.remove(key)
    await io.store.createOnly(key, bytes)
    await expect(log.read(hour(0))).rejects.toMatchObject({ code: 'BATCH_LOG_DAMAGED', details: { key } })
  })
})
