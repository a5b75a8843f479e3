import { MillraceError } from '../base/errors.ts'
import { utf8Text } from '../base/text.ts'
import { epochMs } from '../base/units.ts'
import type { CommitEntry, PlanEntry } from '../checkpoint/entries.ts'
import { AggregationState } from '../executor/aggregation-state.ts'
import { DEAD_LETTERS_FOLDER } from '../pipeline/merge-branches.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { SinkOutput } from '../sinks/sink.ts'
import { brokenPromise } from './broken-promise.ts'
import type { Bucket, BucketChange } from './bucket.ts'
import { linesOf } from './line-encoder.ts'
import { LogAudit } from './log-audit.ts'
import type { SimRedis } from './redis.ts'
import { linesOfOutput, Reference, SHARED_SETTINGS } from './reference.ts'
import type { Subject } from './subject.ts'
import type { Topic } from './topic.ts'
import { ViewAudit } from './view-audit.ts'
import { VisibleRows } from './visible-rows.ts'

/** Commits between two looks at the stored state. */
const STATE_EVERY = 4

/** Looks at everything that happens to the bucket and at nothing else; says at once when a promise is broken. */
export class Auditor {
  readonly log: LogAudit
  readonly #reference: Reference
  readonly #views: ViewAudit
  readonly #subject: Subject
  readonly #bucket: () => Bucket
  /** By folder. */
  readonly #tables = new Map<string, VisibleRows>()
  readonly #folderOf: ReadonlyMap<string, string>
  /** Which version of the code a driver runs, by its epoch. */
  readonly #versions = new Map<number, number>()
  /** What was prepared for a batch, by batch, sink and version of the code. */
  readonly #prepared = new Map<string, string>()
  #changes: BucketChange[] = []

  constructor(subject: Subject, topic: Topic, bucket: () => Bucket, redis: SimRedis) {
    const [first, ...others] = subject.versions
    if (first === undefined) throw new MillraceError('BUG', 'nothing to simulate', { remedy: 'Give a pipeline.' })
    this.#subject = subject
    this.#bucket = bucket
    this.log = new LogAudit(first, topic)
    this.#views = new ViewAudit(first, redis)
    this.#reference = new Reference([first, ...others], topic, subject.kernels, SHARED_SETTINGS)
    this.#folderOf = foldersOf(first)
    for (const folder of this.#folderOf.values()) this.#tables.set(folder, new VisibleRows(folder))
  }

  /** A driver has taken an epoch. */
  owns(epoch: number, version: number): void {
    this.#versions.set(epoch, version)
  }

  changed(change: BucketChange): void {
    this.#changes.push(change)
  }

  /** A sink was handed its part of a batch: it must be the same, whoever computes it. @throws PROMISE_BROKEN */
  prepared(batch: number, sink: string, version: number, output: SinkOutput): void {
    const key = `${batch} ${sink} ${version}`
    const rows = linesOfOutput(output).toSorted().join('\n')
    const before = this.#prepared.get(key)
    if (before !== undefined && before !== rows) {
      throw brokenPromise(`batch ${batch} was computed twice and gave ${sink} different rows`)
    }
    this.#prepared.set(key, rows)
  }

  /** Committed rows that are not visible yet. */
  get awaited(): number {
    let rows = 0
    for (const table of this.#tables.values()) rows += table.awaited
    return rows
  }

  get visibleRows(): number {
    let rows = 0
    for (const table of this.#tables.values()) rows += table.rows
    return rows
  }

  /** Looks at what changed since the last call. @throws PROMISE_BROKEN */
  async review(): Promise<void> {
    const changes = this.#changes
    this.#changes = []
    for (const change of changes) await this.#look(change)
    this.#views.check()
  }

  /** @throws PROMISE_BROKEN where a view has not followed to the newest commit */
  requireViews(): void {
    this.#views.requireNewest(this.log.newest)
  }

  async #look(change: BucketChange): Promise<void> {
    const { key } = change
    const [, log, batch] = /\/(offsets|commits)\/(\d+)\.json$/.exec(key) ?? []
    if (log !== undefined) {
      if (change.kind === 'removed') this.log.removed(Number(batch), key)
      else if (log === 'offsets') this.#planned(entryIn(change.bytes) as PlanEntry)
      else await this.#committed(entryIn(change.bytes) as CommitEntry)
      return
    }
    for (const [folder, table] of this.#tables) {
      if (!key.startsWith(`${folder}/`)) continue
      if (change.kind === 'removed') table.removed(key)
      else table.appeared(key, change.bytes)
    }
  }

  #planned(entry: PlanEntry): void {
    if (!this.log.planned(entry)) return
    const { awaited } = this
    if (awaited > 0)
      throw brokenPromise(`plan ${entry.batchId} was written while ${awaited} committed rows are invisible`)
  }

  async #committed(entry: CommitEntry): Promise<void> {
    const plan = this.log.committedBatch(entry)
    if (plan === null) return
    const version = this.#versions.get(entry.epoch)
    if (version === undefined)
      throw brokenPromise(`commit ${entry.batchId} is by epoch ${entry.epoch}, which nobody took`)
    this.#views.committed(entry.epoch)
    for (const { sink, lines, rows } of await this.#reference.compute(version, plan)) {
      this.#views.commit(entry.batchId, sink, rows)
      const folder = this.#folderOf.get(sink)
      if (folder !== undefined) this.#tables.get(folder)?.commit(lines)
    }
    for (const key of this.#prepared.keys()) if (Number.parseInt(key, 10) < entry.batchId) this.#prepared.delete(key)
    if (entry.batchId % STATE_EVERY === 0) this.#compareState(entry)
  }

  /** State as it is stored gives what state that was never stored gives. */
  #compareState(entry: CommitEntry): void {
    const [plan] = this.#subject.versions
    for (const [branch, state] of this.#reference.states.entries()) {
      const aggregation = plan?.branches[branch]?.aggregation ?? null
      if (state === null || aggregation === null) continue
      const [stored, fresh] = [0, 1].map(() => new AggregationState(this.#subject.kernels, aggregation))
      const { snapshot, changes } = entry.state[branch] ?? { snapshot: null, changes: [] }
      for (const object of snapshot === null ? changes : [snapshot, ...changes]) {
        const bytes = this.#bucket().get(object.key)
        if (bytes === null) throw brokenPromise(`commit ${entry.batchId} lists state ${object.key}, which is not there`)
        stored?.restore(bytes)
      }
      fresh?.restore(state.snapshot())
      if (resultsOf(stored) !== resultsOf(fresh)) {
        throw brokenPromise(
          `the state of branch ${branch} that commit ${entry.batchId} lists is not what its batches give`,
        )
      }
    }
  }
}

const resultsOf = (state: AggregationState | undefined): string =>
  state === undefined
    ? ''
    : linesOf(state.close(epochMs(Number.POSITIVE_INFINITY)))
        .toSorted()
        .join('\n')

const foldersOf = (plan: PipelinePlan): ReadonlyMap<string, string> => {
  const deadLetters = `${DEAD_LETTERS_FOLDER}/${plan.name}`
  const tables = plan.branches.flatMap(branch =>
    branch.sinks.flatMap((sink): [string, string][] =>
      sink.kind === 'parquet' ? [[`${branch.name}/${sink.table}`, sink.table]] : [],
    ),
  )
  return new Map([...tables, [deadLetters, deadLetters]])
}

/** An entry of a log, read without the code that wrote it. */
const entryIn = (bytes: Uint8Array): unknown => (JSON.parse(utf8Text(bytes)) as { readonly entry: unknown }).entry
