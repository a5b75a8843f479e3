import { batchId, epochMs } from '../base/units.ts'
import { viewRowReader } from '../sinks/view/view-rows.ts'
import {
  SWEEP_ROWS,
  type ViewAnswer,
  type ViewIdentity,
  type ViewStep,
  type ViewStore,
} from '../sinks/view/view-store.ts'

interface Row {
  readonly text: string
  readonly score: number | null
  readonly expiresAt: number | null
}

interface Metadata {
  readonly owner: string
  readonly pipeline: string
  readonly epoch: number
  readonly log: string
  readonly batch: number | null
  /** Token and number of the last step of a way that is not at its end, and the batch that it leads to. */
  readonly pending: { readonly token: string; readonly at: number; readonly batch: number } | null
}

interface View {
  meta: Metadata | null
  rows: Map<string, Row>
  stale: Set<string>
}

/** What a view holds: texts by key, and the keys of its top, greatest first. */
export interface ViewContents {
  readonly batch: number | null
  readonly rows: ReadonlyMap<string, string>
  readonly top: readonly string[]
}

/** A store of views in memory: the twin of Redis and its script, with Redis's misfortunes on call. */
export class MemoryViews implements ViewStore {
  readonly location = 'memory'
  #views = new Map<string, View>()
  #top = new Map<string, readonly string[]>()

  async apply(identity: ViewIdentity, step: ViewStep): Promise<ViewAnswer> {
    return this.applyNow(identity, step)
  }

  /** As `apply`, in one instant. */
  applyNow(identity: ViewIdentity, step: ViewStep): ViewAnswer {
    const view = this.#views.get(identity.name) ?? { meta: null, rows: new Map(), stale: new Set() }
    const refusal = refuse(view, identity, step)
    if (refusal !== null) return refusal
    this.#views.set(identity.name, view)
    const first = step.phase === 'whole' || step.phase === 'begin'
    const { owner, pipeline } = identity
    const before = view.meta?.log === step.log ? view.meta.batch : null
    if (first && step.kind === 'rebuild') for (const key of view.rows.keys()) view.stale.add(key)
    if (step.phase === 'begin') {
      const batch = step.kind === 'rebuild' ? null : before
      view.meta = { owner, pipeline, epoch: step.epoch, log: step.log, batch, pending: step }
    } else if (view.meta !== null && step.phase === 'rows') view.meta = { ...view.meta, pending: step }
    for (const [key, { expiresAt }] of view.rows) {
      if (expiresAt !== null && expiresAt <= step.now) view.rows.delete(key)
    }
    write(view, step)
    if (step.phase === 'sweep') return sweep(view)
    if (step.phase === 'finish' && step.kind === 'rebuild' && view.stale.size > 0)
      return { kind: 'behind', batch: null }
    if (step.phase === 'whole' || step.phase === 'finish') {
      view.meta = { owner, pipeline, epoch: step.epoch, log: step.log, batch: step.batch, pending: null }
      this.#top.set(identity.name, topOf(view, identity.top))
    }
    return { kind: 'applied' }
  }

  /** What a reader sees. */
  contents(name: string): ViewContents {
    const view = this.#views.get(name)
    const rows = new Map([...(view?.rows ?? [])].map(([key, { text }]) => [key, text]))
    return { batch: view?.meta?.batch ?? null, rows, top: this.#top.get(name) ?? [] }
  }

  /** Says that a later driver has written later batches than there are: what a restored backup of another day says. */
  lie(): void {
    for (const view of this.#views.values()) {
      if (view.meta !== null)
        view.meta = { ...view.meta, epoch: view.meta.epoch + 1000, batch: (view.meta.batch ?? 0) + 1000 }
    }
  }

  /** Whether a change in several steps is under way. */
  isPending(name: string): boolean {
    return (this.#views.get(name)?.meta?.pending ?? null) !== null
  }

  /** FLUSHALL. */
  flush(): void {
    this.#views.clear()
    this.#top.clear()
  }

  /** Everything as it is now, to be brought back by `rollBack`: a replica that lagged behind becomes the primary. */
  remember(): () => void {
    const views = structuredClone(this.#views)
    const top = structuredClone(this.#top)
    return () => {
      this.#views = structuredClone(views)
      this.#top = structuredClone(top)
    }
  }
}

const refuse = ({ meta }: View, { owner }: ViewIdentity, step: ViewStep): ViewAnswer | null => {
  if (meta !== null && meta.owner !== owner) return { kind: 'foreign', pipeline: meta.pipeline }
  if (meta !== null && meta.epoch > step.epoch && meta.epoch !== step.overruled)
    return { kind: 'fenced', epoch: meta.epoch }
  const stored = meta?.log === step.log ? meta.batch : null
  const behind: ViewAnswer = { kind: 'behind', batch: stored === null ? null : batchId(stored) }
  if (step.phase !== 'whole' && step.phase !== 'begin') return follows(meta?.pending ?? null, step) ? null : behind
  if (step.overruled === null && stored !== null && stored >= step.batch) return { kind: 'already' }
  if (step.kind === 'rebuild') return null
  if (meta?.pending && meta.pending.batch > step.batch) return { kind: 'behind', batch: null }
  return stored === step.after ? null : behind
}

/** On top of the step before, or the same step again. */
const follows = (pending: Metadata['pending'], { token, at }: ViewStep): boolean =>
  pending?.token === token && (pending.at === at || pending.at === at - 1)

const write = (view: View, step: ViewStep): void => {
  const rowAt = step.rows.length === 0 ? null : viewRowReader(step.rows)
  for (let at = 0; at < step.rows.length; at += 1) {
    const { key, text, score, expiresAt } = { ...rowAt?.(at) } as Row & { readonly key: string }
    view.rows.delete(key)
    view.stale.delete(key)
    if (expiresAt === null || epochMs(expiresAt) > step.now) view.rows.set(key, { text, score, expiresAt })
  }
}

const sweep = (view: View): ViewAnswer => {
  for (const key of [...view.stale].slice(0, SWEEP_ROWS)) {
    view.stale.delete(key)
    view.rows.delete(key)
  }
  return { kind: 'left', rows: view.stale.size }
}

const topOf = ({ rows }: View, n: number): readonly string[] =>
  [...rows]
    .filter(([, { score }]) => score !== null)
    .toSorted(([a, x], [b, y]) => (y.score as number) - (x.score as number) || (a < b ? 1 : -1))
    .slice(0, n)
    .map(([key]) => key)
