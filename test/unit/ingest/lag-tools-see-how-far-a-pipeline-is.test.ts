import { expect, test } from 'vitest'
import { MillraceError } from '../../../src/base/errors.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { offset } from '../../../src/base/units.ts'
import { GroupMirror } from '../../../src/ingest/kafka/group-mirror.ts'
import { KafkaCluster } from '../../../src/kafka/cluster.ts'
import { FIND_COORDINATOR, OFFSET_COMMIT, type OffsetCommitRequest } from '../../../src/kafka/requests.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A mirror over a broker that notes what is committed, or refuses. */
const mirrored = (refuses = false) => {
  const clock = new VirtualClock()
  const commits: { readonly offset: number | undefined; readonly at: number }[] = []
  const begunAt = clock.monotonicMs()
  const answer = (key: number, request: unknown): unknown => {
    if (key === FIND_COORDINATOR.key) return { code: 0, id: 1, host: 'kafka', port: 1 }
    expect(key).toBe(OFFSET_COMMIT.key)
    if (refuses) throw new MillraceError('BROKER_ERROR', 'not allowed', { remedy: 'Allow it.' })
    const { offsets } = request as OffsetCommitRequest
    commits.push({ offset: offsets[0]?.offset, at: clock.monotonicMs() - begunAt })
    return 0
  }
  const cluster = new KafkaCluster({
    brokers: ['kafka:1'],
    clock,
    random: seededRandom(1),
    connect: () =>
      Promise.resolve({
        address: 'kafka:1',
        open: true,
        close: () => undefined,
        request: async (api, request) => ({ response: answer(api.key, request) as never, frame: Buffer.alloc(0) }),
      }),
  })
  const mirror = new GroupMirror({ cluster, clock, groupId: 'g', topic: 't' })
  const commit = (until: number) => mirror.commit([{ topic: 't', partition: 0, offset: offset(until) }])
  return { mirror, commit, commits }
}

test('the first offsets are shown at once, the newest of those that follow within a second after it', async () => {
  const { mirror, commit, commits } = mirrored()
  await commit(1)
  await Promise.all([2, 3, 4].map(commit))
  await mirror.close()
  expect(commits).toEqual([
    { offset: 1, at: 0 },
    { offset: 4, at: 1000 },
  ])
})

test('what a broker refuses is told once, however many commits wait, and the next one tries again', async () => {
  const { commit } = mirrored(true)
  const outcomes = await Promise.allSettled([1, 2, 3].map(commit))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  await expect(commit(4)).rejects.toMatchObject({ code: 'BROKER_ERROR' })
})
