import { batchId } from '../../base/units.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { commitOf, planOf, runBatches } from './checkpoint-entries.ts'
import { type Case, type ConformancePromise, equal, holds, matches, promisesOf, refuses } from './promise.ts'

/** Where the checkpoint of one pipeline is kept. */
export interface CheckpointUnderTest {
  /** Opens it as a driver of its own: one branch, topic `plays`. Takes an epoch. */
  readonly openDriver: () => Promise<Checkpoint>
  readonly close: () => Promise<void>
}

const BYTES = Uint8Array.of(0, 1, 2, 255)

const OWNERSHIP: readonly Case<CheckpointUnderTest>[] = [
  [
    'gives drivers that race for it epochs of their own, and lets only the highest plan',
    async ({ openDriver }) => {
      const drivers = await Promise.all([0, 1, 2, 3].map(() => openDriver()))
      const epochs = drivers.map(({ epoch }) => epoch).toSorted((a, b) => a - b)
      equal(new Set(epochs).size, 4)
      for (const driver of drivers) {
        if (driver.epoch === epochs.at(-1)) equal((await driver.logPlan(planOf(0))).epoch, driver.epoch)
        else await refuses(driver.logPlan(planOf(0)), 'FENCED')
      }
    },
  ],
  [
    'fences a driver that sleeps through its successor: no plan, no commit',
    async ({ openDriver }) => {
      const zombie = await openDriver()
      await runBatches(zombie, 0, 2)
      await zombie.logPlan(planOf(2))
      const successor = await openDriver()
      const { commit, openPlan } = await successor.recover()
      equal([commit?.batchId, openPlan?.batchId, openPlan?.epoch], [1, 2, zombie.epoch])
      await successor.commit(commitOf(2))
      await refuses(zombie.commit(commitOf(2)), 'FENCED')
      await refuses(zombie.logPlan(planOf(3)), 'FENCED')
      await refuses(zombie.requireOwnership(), 'FENCED')
      await successor.requireOwnership()
      matches((await successor.recover()).commit ?? {}, { batchId: 2, epoch: successor.epoch })
    },
  ],
]

const ENTRIES: readonly Case<CheckpointUnderTest>[] = [
  [
    'holds nothing before the first plan',
    async ({ openDriver }) => {
      const driver = await openDriver()
      equal(await driver.recover(), { commit: null, openPlan: null })
      equal(await driver.readCommit(batchId(0)), null)
    },
  ],
  [
    'tells a later driver the newest commit and the plan that was left open',
    async ({ openDriver }) => {
      const first = await openDriver()
      await runBatches(first, 0, 3)
      const plan = await first.logPlan(planOf(3))
      const next = await openDriver()
      equal(next.header, first.header)
      const { commit, openPlan } = await next.recover()
      equal(openPlan, plan)
      matches(commit ?? {}, { ...commitOf(2), epoch: first.epoch })
      equal(await next.readCommit(batchId(2)), commit)
    },
  ],
  [
    'keeps the plan that was written first, whoever writes another',
    async ({ openDriver }) => {
      const plan = await (await openDriver()).logPlan({ ...planOf(0), flush: true })
      const next = await openDriver()
      equal([await next.isPlanned(batchId(0)), await next.isPlanned(batchId(1))], [true, false])
      equal(await next.logPlan(planOf(0)), plan)
    },
  ],
  [
    'keeps the commit that was written first: one by an earlier driver is adopted',
    async ({ openDriver }) => {
      const first = await openDriver()
      await first.logPlan(planOf(0))
      const second = await openDriver()
      // it is written and counts; going on is the successor's
      await first.commit({ ...commitOf(0), ledger: { by: 'first' } }).catch(() => undefined)
      const { adopted, entry } = await second.commit({ ...commitOf(0), ledger: { by: 'second' } })
      equal([adopted, entry.ledger], [true, { by: 'first' }])
      equal((await second.recover()).commit, entry)
    },
  ],
]

const STATE: readonly Case<CheckpointUnderTest>[] = [
  [
    'gives state back as it was written, to any driver, under a name of its own each time',
    async ({ openDriver }) => {
      const driver = await openDriver()
      const [one, two] = [
        await driver.writeState(0, batchId(0), 'changes', BYTES),
        await driver.writeState(0, batchId(0), 'changes', BYTES.slice(1)),
      ]
      const next = await openDriver()
      equal(await next.readState(one), BYTES)
      equal(await next.readState(two), BYTES.slice(1))
    },
  ],
  [
    'says so where state is not what the commit lists',
    async ({ openDriver }) => {
      const driver = await openDriver()
      const written = await driver.writeState(0, batchId(0), 'snapshot', BYTES)
      await refuses(driver.readState({ ...written, size: written.size + 1 }), 'CHECKPOINT_DAMAGED')
      await refuses(driver.readState({ ...written, key: `${written.key}-gone` }), 'CHECKPOINT_DAMAGED')
    },
  ],
  [
    'keeps the last hundred batches when it is pruned, and what recovery needs',
    async ({ openDriver }) => {
      const driver = await openDriver()
      await runBatches(driver, 0, 130)
      const { commit } = await driver.recover()
      if (commit !== null) await driver.prune(commit)
      for (const batch of [30, 80, 129])
        holds((await driver.readCommit(batchId(batch))) !== null, `batch ${batch} is there`)
      equal((await (await openDriver()).recover()).commit, commit)
    },
  ],
]

/**
 * What the checkpoint of a pipeline keeps, wherever it lies: exactly-once rests on it.
 *
 * @param open makes a fresh place for one checkpoint; it is closed after each promise
 */
export const checkpointPromises = (open: () => Promise<CheckpointUnderTest>): readonly ConformancePromise[] =>
  promisesOf('a checkpoint', [...OWNERSHIP, ...ENTRIES, ...STATE], open, opened => opened.close())
