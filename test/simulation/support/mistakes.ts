import type { JsonValue } from '../../../src/base/json.ts'
import { AFTER_ALL_TIME, batchId, durationMs, type EpochMs, epochMs, offset } from '../../../src/base/units.ts'
import type { Checkpoint } from '../../../src/checkpoint/checkpoint.ts'
import type { CommitEntry } from '../../../src/checkpoint/entries.ts'
import { decodeEntry, encodeEntry } from '../../../src/checkpoint/entry-codec.ts'
import type { ColumnBatch } from '../../../src/columnar/column-batch.ts'
import type { TaskResult } from '../../../src/executor/task.ts'
import type { SourcePlanner } from '../../../src/ingest/source.ts'
import type { BoundSink, DriverParts } from '../../../src/microbatch/driver-parts.ts'
import { viewRowsOf } from '../../../src/sim/conformance/view-store-promises.ts'
import type { Mistake } from '../../../src/sim/subject.ts'
import type { Sink } from '../../../src/sinks/sink.ts'
import { viewRowReader } from '../../../src/sinks/view/view-rows.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'

/** The same object with some methods of its own. */
const override = <T extends object>(target: T, methods: Partial<T>): T =>
  new Proxy(target, {
    get(of, name) {
      const own = methods[name as keyof T]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(of, name, of)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(of) : value
    },
  })

const inSinks = (wrap: (sink: Sink) => Partial<Sink>): Mistake => ({
  parts: parts => ({
    ...parts,
    sinks: parts.sinks.map((bound): BoundSink => ({ ...bound, sink: override(bound.sink, wrap(bound.sink)) })),
  }),
})
const inCheckpoint = (wrap: (checkpoint: Checkpoint, parts: DriverParts) => Partial<Checkpoint>): Mistake => ({
  parts: parts => ({ ...parts, checkpoint: override(parts.checkpoint, wrap(parts.checkpoint, parts)) }),
})
const inSource = (wrap: (source: SourcePlanner) => Partial<SourcePlanner>): Mistake => ({
  parts: parts => ({ ...parts, source: override(parts.source, wrap(parts.source)) }),
})
const inStore = (wrap: (store: ObjectStore) => Partial<ObjectStore>): Mistake => ({
  store: store => override(store, wrap(store)),
})

/** Rows of a view with a number added to itself, as a second increment would. */
const addedTwice = (rows: ColumnBatch, column: string): ColumnBatch => {
  const rowAt = viewRowReader(rows)
  return viewRowsOf(
    Array.from({ length: rows.length }, (_, at) => {
      const { key, text, score } = rowAt(at)
      const row = JSON.parse(text) as Record<string, number>
      return [key, JSON.stringify({ ...row, [column]: 2 * (row[column] ?? 0) }), score] as const
    }),
  )
}

const isCommit = (key: string): boolean => key.includes('/commits/')

/** What people get wrong, planted into the product from outside. The simulator must find each. */
export const MISTAKES: Readonly<Record<string, Mistake>> = {
  'publishes before the commit': inSinks(sink => ({
    prepare: async output => {
      const receipt = await sink.prepare(output)
      await sink.publish(receipt)
      return receipt
    },
  })),

  'writes files under their final name at once': inStore(store => ({
    stage: async (key, bytes) => {
      const staged = await store.stage(key, bytes)
      await store.createOnly(key, bytes)
      await store.discard(staged)
      return staged
    },
  })),

  'logs no plan': inCheckpoint(checkpoint => ({
    recover: async () => ({ ...(await checkpoint.recover()), openPlan: null }),
    logPlan: async plan => ({ ...plan, epoch: checkpoint.epoch, nonce: 'none' }),
  })),

  'plans anew what a crash left open': inStore(store => {
    const planned = new Set<string>()
    return {
      get: async key => (key.includes('/offsets/') && !planned.has(key) ? null : store.get(key)),
      createOnly: async (key, bytes) => {
        if (key.includes('/offsets/')) {
          planned.add(key)
          await store.remove(key)
        }
        return store.createOnly(key, bytes)
      },
    }
  }),

  'commits by a put without condition': inStore(store => ({
    createOnly: async (key, bytes) => {
      if (isCommit(key)) await store.remove(key)
      return store.createOnly(key, bytes)
    },
  })),

  'takes a commit that exists for its own': inStore(store => ({
    createOnly: async (key, bytes) => {
      await store.createOnly(key, bytes)
      return 'created'
    },
  })),

  'does not know its own commit when it reads it back': inStore(store => ({
    get: async key => {
      const bytes = await store.get(key)
      if (bytes === null || !isCommit(key)) return bytes
      return encodeEntry({ ...decodeEntry(key, bytes), nonce: 'another' })
    },
  })),

  'drops what it prepared when a commit is not answered': {
    parts: parts => {
      const { checkpoint, sinks } = parts
      const commit: Checkpoint['commit'] = async entry => {
        // one attempt, as a careless client would make
        const answered = await Promise.race([
          checkpoint.commit(entry),
          parts.clock.sleep(durationMs(40)).then(() => null),
        ])
        if (answered !== null) return answered
        for (const receipt of entry.receipts as readonly { readonly sink: string; readonly receipt: JsonValue }[]) {
          await sinks.find(({ name }) => name === receipt.sink)?.sink.discard(receipt.receipt)
        }
        return checkpoint.commit(entry)
      }
      return { ...parts, checkpoint: override(checkpoint, { commit }) }
    },
  },

  'does not roll forward': inSinks(sink => {
    const own = new Set<string>()
    return {
      prepare: async output => {
        const receipt = await sink.prepare(output)
        own.add(JSON.stringify(receipt))
        return receipt
      },
      publish: async receipt => (own.has(JSON.stringify(receipt)) ? sink.publish(receipt) : undefined),
    }
  }),

  'goes on before all is published': inSinks(sink => ({
    publish: receipt => {
      sink.publish(receipt).catch(() => undefined)
      return Promise.resolve()
    },
  })),

  'aborts uploads that a commit may still list': inSinks(sink => ({
    clearUp: () => sink.clearUp(batchId(Number.MAX_SAFE_INTEGER)),
  })),

  'leaves behind what crashes prepared': inSinks(() => ({ clearUp: () => Promise.resolve() })),

  'counts rows instead of offsets': {
    parts: parts => {
      const rows = new Map<string, number>()
      const run: DriverParts['executor']['run'] = async (tasks, signal) => {
        const results = await parts.executor.run(tasks, signal)
        for (const [at, { split }] of tasks.entries()) {
          if (!('ranges' in split)) throw new TypeError('streams read partitions')
          let left = (results[at] as TaskResult).ledger.read
          for (const { topic, partition, from, until } of split.ranges) {
            const counted = Math.min(left, until - from)
            rows.set(`${topic}/${partition}`, from + counted)
            left -= counted
          }
        }
        return results
      }
      const commit: Checkpoint['commit'] = entry =>
        parts.checkpoint.commit({
          ...entry,
          partitions: entry.partitions.map(each => ({
            ...each,
            offset: offset(rows.get(`${each.topic}/${each.partition}`) ?? each.offset),
          })),
        })
      return {
        ...parts,
        executor: override(parts.executor, { run }),
        checkpoint: override(parts.checkpoint, { commit }),
      }
    },
  },

  'keeps one watermark for all partitions': inCheckpoint((checkpoint, { plan }) => {
    let greatest: readonly (EpochMs | null)[] = []
    const note = (commit: Pick<CommitEntry, 'partitions'> | null): void => {
      greatest = plan.branches.map((_, branch) =>
        (commit?.partitions ?? []).reduce<EpochMs | null>((most, { maxEventTimes }) => {
          const time = maxEventTimes[branch] ?? null
          return time === null || (most !== null && most > time) ? most : time
        }, null),
      )
    }
    return {
      recover: async () => {
        const point = await checkpoint.recover()
        note(point.commit)
        return point
      },
      logPlan: entry =>
        checkpoint.logPlan({
          ...entry,
          watermarks: entry.watermarks.map((watermark, branch) => {
            const delay = plan.branches[branch]?.aggregation?.window?.delayMs
            const time = greatest[branch] ?? null
            return delay === undefined || time === null ? watermark : epochMs(Math.max(watermark, time - delay))
          }),
        }),
      commit: async entry => {
        note(entry)
        return checkpoint.commit(entry)
      },
    }
  }),

  'judges lateness by the clock of the replay': {
    parts: parts => ({
      ...parts,
      executor: override(parts.executor, {
        run: (tasks, signal) =>
          parts.executor.run(
            tasks.map(task => ({
              ...task,
              watermarks: task.watermarks.map(() => epochMs(parts.clock.nowMs() + 30_000)),
            })),
            signal,
          ),
      }),
    }),
  },

  'asks nobody who owns the pipeline': inStore(store => ({
    head: async key => (key.includes('/epochs/') ? null : store.head(key)),
    get: async key => {
      const bytes = await store.get(key)
      if (bytes === null || !/\/(commits|offsets)\//.test(key)) return bytes
      return encodeEntry({ ...decodeEntry(key, bytes), epoch: 0 })
    },
  })),

  'lists state that is still on its way': inStore(store => ({
    createOnly: async (key, bytes) => {
      const created = store.createOnly(key, bytes)
      if (!key.includes('/state/')) return created
      created.catch(() => undefined)
      return 'created'
    },
  })),

  'restores the newest change of the state only': inCheckpoint(checkpoint => ({
    commit: entry =>
      checkpoint.commit({
        ...entry,
        state: entry.state.map(manifest =>
          manifest === null ? null : { ...manifest, changes: manifest.changes.slice(-1) },
        ),
      }),
  })),

  'reads a new partition from its end': inSource(source => {
    let known: ReadonlySet<number> | null = null
    return {
      bounds: async () => {
        const bounds = await source.bounds()
        known ??= new Set(bounds.map(({ partition }) => partition))
        const before = known
        return bounds.map(each => (before.has(each.partition) ? each : { ...each, earliest: each.latest }))
      },
    }
  }),

  'believes a listing': inStore(store => ({
    head: async key => (isCommit(key) ? null : store.head(key)),
  })),

  'forgets partitions without rows': inCheckpoint(checkpoint => {
    let planned: ReadonlySet<number> = new Set()
    return {
      logPlan: async plan => {
        const entry = await checkpoint.logPlan(plan)
        planned = new Set(entry.ranges.map(({ partition }) => partition))
        return entry
      },
      commit: entry =>
        checkpoint.commit({ ...entry, partitions: entry.partitions.filter(each => planned.has(each.partition)) }),
    }
  }),

  'reads from one record too early': {
    reader: reader =>
      override(reader, {
        read: (range, signal) => reader.read({ ...range, from: offset(Math.max(0, range.from - 1)) }, signal),
      }),
  },

  'believes what Redis says of the view': {
    views: views =>
      override(views, {
        apply: async (view, step) => {
          const answer = await views.apply(view, step)
          return answer.kind === 'fenced' || answer.kind === 'behind' ? { kind: 'already' } : answer
        },
      }),
  },

  'adds increments to the rows of a view': {
    views: views =>
      override(views, {
        apply: async (view, step) => {
          const answer = await views.apply(view, step)
          // it was applied before: a value that is set stays the same, one that is added counts twice
          if (answer.kind !== 'already' || step.phase !== 'whole' || step.rows.length === 0) return answer
          const rows = addedTwice(step.rows, 'plays')
          return views.apply(view, { ...step, kind: 'rebuild', overruled: step.epoch, rows })
        },
      }),
  },

  'lets a time in the future move the watermark': {
    parts: parts => ({
      ...parts,
      executor: override(parts.executor, {
        run: (tasks, signal) =>
          parts.executor.run(
            tasks.map(task => ({ ...task, triggeredAt: epochMs(AFTER_ALL_TIME - 3_600_000) })),
            signal,
          ),
      }),
    }),
  },

  'applies what changed to a view that missed the change before': {
    views: views =>
      override(views, {
        apply: async (view, step) => {
          const answer = await views.apply(view, step)
          if (answer.kind !== 'behind' || answer.batch === null || step.kind !== 'delta') return answer
          return views.apply(view, { ...step, after: answer.batch })
        },
      }),
  },
}
