import { MillraceError } from '../../base/errors.ts'
import type { PartitionOffset } from '../source.ts'
import { CODE, nameOfCode } from './broker-codes.ts'
import type { KafkaCluster } from './cluster.ts'
import type { BrokerAddress } from './connection.ts'
import { FIND_COORDINATOR, OFFSET_COMMIT } from './requests.ts'

/**
 * Shows committed offsets to tools that look at consumer groups. Nothing reads them back: the checkpoint is the truth.
 * One commit is under way at a time; of those that come meanwhile, the newest counts.
 */
export class GroupMirror {
  readonly #cluster: KafkaCluster
  readonly #groupId: string
  readonly #topic: string
  #coordinator: BrokerAddress | null = null
  #waiting: readonly PartitionOffset[] | null = null
  #running: Promise<void> | null = null

  constructor(cluster: KafkaCluster, groupId: string, topic: string) {
    this.#cluster = cluster
    this.#groupId = groupId
    this.#topic = topic
  }

  /** Resolves when these offsets or newer ones are in the group. @throws what the broker says against it */
  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    this.#waiting = offsets
    this.#running ??= this.#commitWaiting().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Waits for what is under way; its failure was told to whoever asked for it. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => undefined)
  }

  async #commitWaiting(): Promise<void> {
    while (this.#waiting !== null) {
      const offsets = this.#waiting
      this.#waiting = null
      await this.#commitOnce(offsets)
    }
  }

  #commitOnce(offsets: readonly PartitionOffset[]): Promise<void> {
    const groupId = this.#groupId
    return this.#cluster.patiently(async () => {
      try {
        this.#coordinator ??= await this.#findCoordinator()
        const request = { groupId, topic: this.#topic, offsets }
        const { response: code } = await this.#cluster.requestTo(this.#coordinator, OFFSET_COMMIT, request)
        if (code !== CODE.none) throw refused(groupId, code)
      } catch (error) {
        this.#coordinator = null
        throw error
      }
    })
  }

  async #findCoordinator(): Promise<BrokerAddress> {
    const groupId = this.#groupId
    const { response } = await this.#cluster.requestAny(FIND_COORDINATOR, { groupId })
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
