import { driverEpoch } from '../../base/units.ts'
import type { CommitEntry } from '../../checkpoint/entries.ts'
import type { DriverPresence, FastCopy, FastCopyState } from '../../checkpoint/fast-copy.ts'
import { commitOf } from './checkpoint-entries.ts'
import { type Case, type ConformancePromise, equal, promisesOf } from './promise.ts'

/** Where the fast copy of one pipeline is kept. */
export interface FastCopyUnderTest {
  /** Opens it as a driver of its own. */
  readonly openDriver: () => FastCopy
  /** What those see who ask how far the pipeline is. */
  readonly read: () => Promise<FastCopyState>
  readonly close: () => Promise<void>
}

const driver = (epoch: number): DriverPresence => ({
  epoch,
  host: 'here',
  pid: epoch * 100,
  since: '2026-01-15T10:00:00.000Z',
})
const commit = (batch: number, epoch: number): CommitEntry => ({
  ...commitOf(batch),
  epoch: driverEpoch(epoch),
  nonce: '0'.repeat(32),
})
const told = (batch: number, epoch: number) => ({
  batchId: batch,
  epoch,
  committedAt: new Date(commitOf(batch).committedAt).toISOString(),
})

const PROMISES: readonly Case<FastCopyUnderTest>[] = [
  [
    'knows nothing of a pipeline that never ran',
    async ({ read }) => equal(await read(), { committed: null, driver: null }),
  ],
  [
    'says which driver runs, until that ends',
    async ({ openDriver, read }) => {
      const copy = openDriver()
      equal(await copy.begin(driver(1)), null)
      equal(await read(), { committed: null, driver: driver(1) })
      await copy.close()
      equal(await read(), { committed: null, driver: null })
    },
  ],
  [
    'gives the lease to a later driver, which hears of the one before; the end of that one takes nothing from it',
    async ({ openDriver, read }) => {
      const [first, second] = [openDriver(), openDriver()]
      await first.begin(driver(1))
      equal(await second.begin(driver(2)), driver(1))
      await first.close()
      equal((await read()).driver, driver(2))
      await second.close()
    },
  ],
  [
    'leaves the lease with a later driver, and tells the earlier one of it',
    async ({ openDriver, read }) => {
      const [first, second] = [openDriver(), openDriver()]
      await second.begin(driver(2))
      equal(await first.begin(driver(1)), driver(2))
      equal((await read()).driver, driver(2))
      await Promise.all([first.close(), second.close()])
    },
  ],
  [
    'is the newest of many commits, and stays when its driver has ended',
    async ({ openDriver, read }) => {
      const copy = openDriver()
      for (let batch = 0; batch < 200; batch += 1) copy.committed(commit(batch, 1))
      await copy.close()
      equal((await read()).committed, told(199, 1))
    },
  ],
  [
    'believes a higher epoch, also where that is at an earlier batch, and a lower one no more',
    async ({ openDriver, read }) => {
      const write = async (batch: number, epoch: number): Promise<void> => {
        const copy = openDriver()
        copy.committed(commit(batch, epoch))
        await copy.close()
      }
      await write(7, 1)
      await write(5, 2)
      await write(8, 1)
      await write(4, 2)
      equal((await read()).committed, told(5, 2))
    },
  ],
]

/**
 * What every fast copy keeps. It is a hint all the same: nothing in it is believed before the checkpoint agrees.
 *
 * @param open makes a fresh place; it is closed after each promise
 */
export const fastCopyPromises = (
  open: () => FastCopyUnderTest | Promise<FastCopyUnderTest>,
): readonly ConformancePromise[] => promisesOf('a fast copy', PROMISES, open, ({ close }) => close())
