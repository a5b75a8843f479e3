import type { ColumnBatch } from '../columnar/column-batch.ts'
import type { PipelinePlan, RedisViewSinkNode } from '../pipeline/plan.ts'
import { viewRowReader, viewRows } from '../sinks/view/view-rows.ts'
import { brokenPromise } from './broken-promise.ts'
import type { SimRedis } from './redis.ts'

interface Followed {
  readonly node: RedisViewSinkNode
  /** What the view must show as of each batch, by batch; -1 before the first. */
  readonly states: Map<number, ReadonlyMap<string, string>>
}

/**
 * What readers of views see: always the rows as of the batch that the view names, which is committed; an older one is right
 * (the view says how old it is), a mixture of two never. In the end it is the newest.
 */
export class ViewAudit {
  readonly #redis: SimRedis
  readonly #followed = new Map<string, Followed>()
  /** Commits of one driver since Redis was troubled last. */
  #calm = { mishaps: 0, epoch: 0, commits: 0 }

  constructor(plan: PipelinePlan, redis: SimRedis) {
    this.#redis = redis
    for (const branch of plan.branches) {
      for (const node of branch.sinks) {
        if (node.kind !== 'redisView') continue
        this.#followed.set(`${branch.name}/redisView-${node.name}`, { node, states: new Map([[-1, new Map()]]) })
      }
    }
  }

  /** A batch was committed by a driver of this epoch. */
  committed(epoch: number): void {
    const { mishaps, isAway } = this.#redis
    const goesOn = !isAway && this.#calm.mishaps === mishaps && this.#calm.epoch === epoch
    this.#calm = { mishaps, epoch, commits: goesOn ? this.#calm.commits + 1 : 0 }
  }

  /** A batch was committed, and gave a sink these rows. */
  commit(batch: number, sink: string, rows: readonly ColumnBatch[]): void {
    const followed = this.#followed.get(sink)
    if (followed === undefined) return
    const state = new Map(followed.states.get(batch - 1))
    const change = viewRows(followed.node, rows, null)
    const rowAt = change.length === 0 ? null : viewRowReader(change)
    for (let at = 0; at < change.length; at += 1) {
      const row = rowAt?.(at)
      if (row !== undefined) state.set(row.key, row.text)
    }
    followed.states.set(batch, state)
  }

  /** @throws PROMISE_BROKEN where a view shows what no commit says */
  check(): void {
    for (const { node, states } of this.#followed.values()) {
      const { batch, rows } = this.#redis.views.contents(node.name)
      if (batch === null || batch >= LIE || this.#redis.views.isPending(node.name)) continue
      const state = states.get(batch)
      if (state === undefined) throw brokenPromise(`the view ${node.name} names batch ${batch}, which is not committed`)
      if (!isSame(rows, state)) throw brokenPromise(`the view ${node.name} does not show what batch ${batch} made it`)
    }
  }

  /**
   * A view that claims to be of a later driver is overruled by one that has gone on committing, so a lie may outlive fewer
   * batches than that. @throws PROMISE_BROKEN where a view is not as of the newest batch
   */
  requireNewest(newest: number): void {
    for (const { node } of this.#followed.values()) {
      const { batch } = this.#redis.views.contents(node.name)
      const commits = this.#calm.mishaps === this.#redis.mishaps ? this.#calm.commits : 0
      if (batch !== null && batch >= LIE && commits < COMMITS_TO_OVERRULE) continue
      if (batch !== newest)
        throw brokenPromise(`the view ${node.name} stays at batch ${batch}, ${newest} is the newest`)
    }
  }
}

/** Batches beyond are what a Redis that lies claims; what it shows is put right by the next commits. */
const LIE = 1000
/** One that is turned away, one that overrules, and one that was on its way. */
const COMMITS_TO_OVERRULE = 3

const isSame = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([key, text]) => b.get(key) === text)
