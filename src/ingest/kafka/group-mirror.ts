import type { Clock } from '../../base/clock.ts'
import { MillraceError } from '../../base/errors.ts'
import { durationMs } from '../../base/units.ts'
import { CODE, nameOfCode } from '../../kafka/broker-codes.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import type { BrokerAddress } from '../../kafka/connection.ts'
import { FIND_COORDINATOR, OFFSET_COMMIT } from '../../kafka/requests.ts'
import type { PartitionOffset } from '../source.ts'

export interface GroupMirrorOptions {
  readonly cluster: KafkaCluster
  readonly clock: Clock
  readonly groupId: string
  readonly topic: string
}

/** Tools look every few seconds; a commit for each of many small batches would only be work for the broker. */
const COMMIT_EVERY_MS = 1_000

/**
 * Shows committed offsets to tools that look at consumer groups. Nothing reads them back: the checkpoint is the truth.
 * One commit is under way or due at a time; of those that come meanwhile, the newest counts.
 */
export class GroupMirror {
  readonly #options: GroupMirrorOptions
  readonly #closing = new AbortController()
  #coordinator: BrokerAddress | null = null
  #waiting: readonly PartitionOffset[] | null = null
  #running: Promise<void> | null = null
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(options: GroupMirrorOptions) {
    this.#options = options
  }

  /**
   * Resolves when these offsets or newer ones are in the group; at once where an earlier call has to see to it, so that
   * a failure is told once. @throws what the broker says against it
   */
  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    this.#waiting = offsets
    if (this.#running !== null) return
    this.#running = this.#commitWaiting()
    await this.#running
  }

  /** Commits what waits without waiting any longer; its failure was told to whoever asked for it. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running?.catch(() => undefined)
  }

  async #commitWaiting(): Promise<void> {
    try {
      while (this.#waiting !== null) {
        await this.#untilDue()
        const offsets = this.#waiting
        this.#waiting = null
        await this.#commitOnce(offsets)
      }
    } finally {
      this.#running = null
    }
  }

  async #untilDue(): Promise<void> {
    const { clock } = this.#options
    const delay = this.#notBefore - clock.monotonicMs()
    // rejects when the mirror is closed: then it is due
    if (delay > 0) await clock.sleep(durationMs(delay), this.#closing.signal).catch(() => undefined)
    this.#notBefore = clock.monotonicMs() + COMMIT_EVERY_MS
  }

  #commitOnce(offsets: readonly PartitionOffset[]): Promise<void> {
    const { cluster, groupId, topic } = this.#options
    return cluster.patiently(async () => {
      try {
        this.#coordinator ??= await this.#findCoordinator()
        const request = { groupId, topic, offsets }
        const { response: code } = await cluster.requestTo(this.#coordinator, OFFSET_COMMIT, request)
        if (code !== CODE.none) throw refused(groupId, code)
      } catch (error) {
        this.#coordinator = null
        throw error
      }
    })
  }

  async #findCoordinator(): Promise<BrokerAddress> {
    const { cluster, groupId } = this.#options
    const { response } = await cluster.requestAny(FIND_COORDINATOR, { groupId })
    if (response.code !== CODE.none) throw refused(groupId, response.code)
    return { host: response.host, port: response.port }
  }
}

/** Codes of a coordinator that is moving or loading. */
const PASSING: ReadonlySet<number> = new Set([
  CODE.coordinatorLoadInProgress,
  CODE.coordinatorNotAvailable,
  CODE.notCoordinator,
])

const refused = (groupId: string, code: number): MillraceError =>
  new MillraceError(PASSING.has(code) ? 'LEADER_CHANGED' : 'BROKER_ERROR', `group ${groupId}: ${nameOfCode(code)}`, {
    remedy: 'Check that the client may write offsets of the group and that no consumer is a member of it.',
    details: { groupId, code },
  })
