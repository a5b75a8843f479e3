import type { BatchId, DriverEpoch, EpochMs } from '../../base/units.ts'
import type { BinaryColumn } from '../../columnar/column.ts'
import type { ColumnBatch } from '../../columnar/column-batch.ts'
import { compact } from '../../columnar/gather.ts'
import { fieldIndex } from '../../columnar/schema.ts'
import { VIEW_ROWS } from './view-rows.ts'
import { MAX_STEP_ROWS, type ViewAnswer, type ViewIdentity, type ViewStep, type ViewStore } from './view-store.ts'

/** Bytes of row texts in one step. */
const MAX_STEP_BYTES = 1024 * 1024

/** The way of a view to a committed batch. */
export type ViewWay = Omit<ViewStep, 'phase' | 'rows' | 'now' | 'at'>

/** What ways are gone with. */
export interface ViewWalk {
  readonly store: ViewStore
  readonly view: ViewIdentity
  readonly now: () => EpochMs
}

/** No rows. */
const NOTHING: ColumnBatch = { schema: VIEW_ROWS, columns: [], length: 0, selection: null, origin: null }

/**
 * Goes the way with the rows of `changes` in their order, in as many steps as it takes. A change is only asked for when
 * those before it are written. @returns `applied`, or the first answer that ends the way early
 */
export const goTheWay = async (
  walk: ViewWalk,
  way: ViewWay,
  changes: readonly (() => Promise<ColumnBatch>)[],
): Promise<ViewAnswer> => {
  let at = -1
  const step = (phase: ViewStep['phase'], rows = NOTHING): Promise<ViewAnswer> => {
    if (phase !== 'sweep') at += 1
    return walk.store.apply(walk.view, { ...way, phase, rows, at, now: walk.now() })
  }
  const [first] = changes
  if (way.kind === 'delta' && changes.length <= 1) {
    const chunks = first === undefined ? [] : chunksOf(await first())
    if (chunks.length <= 1) return step('whole', chunks[0])
    return stepByStep(step, way, [async () => chunks])
  }
  return stepByStep(
    step,
    way,
    changes.map(change => async () => chunksOf(await change())),
  )
}

const stepByStep = async (
  step: (phase: ViewStep['phase'], rows?: ColumnBatch) => Promise<ViewAnswer>,
  way: ViewWay,
  changes: readonly (() => Promise<readonly ColumnBatch[]>)[],
): Promise<ViewAnswer> => {
  const begun = await step('begin')
  if (begun.kind !== 'applied') return begun
  for (const change of changes) {
    for (const chunk of await change()) {
      const answer = await step('rows', chunk)
      if (answer.kind !== 'applied') return answer
    }
  }
  while (way.kind === 'rebuild') {
    const swept = await step('sweep')
    if (swept.kind !== 'left') return swept
    if (swept.rows === 0) break
  }
  return step('finish')
}

/** Cuts dense rows into parts that are small enough for one step. */
const chunksOf = (rows: ColumnBatch): readonly ColumnBatch[] => {
  const { offsets } = rows.columns[fieldIndex(VIEW_ROWS, 'text')] as BinaryColumn
  const chunks: ColumnBatch[] = []
  for (let from = 0; from < rows.length; ) {
    let until = from + 1
    while (
      until < rows.length &&
      until - from < MAX_STEP_ROWS &&
      (offsets[until + 1] as number) - (offsets[from] as number) <= MAX_STEP_BYTES
    ) {
      until += 1
    }
    const selection = Int32Array.from({ length: until - from }, (_, at) => from + at)
    chunks.push(compact({ ...rows, selection }))
    from = until
  }
  return chunks
}

/** The way from the batch `after` (`null`: from nothing) to the batch of a receipt. */
export const wayTo = (
  target: { readonly batch: BatchId; readonly log: string } & Pick<ViewStep, 'committedAt' | 'watermark'>,
  from: { readonly kind: ViewStep['kind']; readonly after: BatchId | null; readonly overruled: number | null },
  by: { readonly epoch: DriverEpoch; readonly token: string },
): ViewWay => ({
  batch: target.batch,
  log: target.log,
  committedAt: target.committedAt,
  watermark: target.watermark,
  ...from,
  ...by,
})
