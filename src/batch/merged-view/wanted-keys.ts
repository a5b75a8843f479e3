import { HOUR_MS } from '../../base/hours.ts'
import { type EpochMs, epochMs } from '../../base/units.ts'
import { WINDOW_START } from '../../pipeline/plan.ts'
import type { ReadRow } from '../../sinks/view/read-row.ts'
import { keyPart } from '../../sinks/view/view-values.ts'
import type { WantedRows } from './view-layers.ts'
import type { ServedView } from './view-query.ts'

/** More keys than this are found by a scan instead of one by one. */
const MAX_COMPUTED_KEYS = 20_000

/** Windows that start in an hour. */
const startsIn = ({ branch, windowMs }: ServedView, hour: EpochMs): readonly EpochMs[] => {
  const sizeMs = windowMs ?? HOUR_MS
  const offsetMs = branch.aggregation?.window?.offsetMs ?? 0
  const first = Math.ceil((hour - offsetMs) / sizeMs) * sizeMs + offsetMs
  const count = Math.max(0, Math.ceil((hour + HOUR_MS - first) / sizeMs))
  return Array.from({ length: count }, (_, at) => epochMs(first + at * sizeMs))
}

/**
 * The keys of a view's rows that are wanted, where they follow from the question: one for each window of the group that was asked
 * for. `null` where only a scan finds them.
 */
export const computedKeys = (
  view: ServedView,
  hours: readonly EpochMs[] | null,
  { key, range }: WantedRows,
): readonly string[] | null => {
  if (key === null) return null
  if (hours === null) return [keyText(view, key, null)]
  const starts = hours.flatMap(hour => startsIn(view, hour)).filter(start => isWithin(start, range))
  return starts.length > MAX_COMPUTED_KEYS ? null : starts.map(start => keyText(view, key, start))
}

const keyText = ({ key }: ServedView, parts: readonly string[], start: EpochMs | null): string => {
  const rest = [...parts]
  return key.map(({ name, type }) => (name === WINDOW_START ? keyPart(type, start) : (rest.shift() ?? ''))).join(':')
}

const isWithin = (time: number, range: WantedRows['range']): boolean =>
  range === null || (time >= range.from && time < range.until)

/** Says of a row whether it is wanted. */
export const wantedRow =
  (view: ServedView, hours: readonly EpochMs[] | null, { key, range }: WantedRows): ((row: ReadRow) => boolean) =>
  row => {
    const start = Number(row[WINDOW_START])
    if (hours !== null && !(isWithin(start, range) && hours.some(hour => start >= hour && start < hour + HOUR_MS))) {
      return false
    }
    const columns = view.key.filter(({ name }) => name !== WINDOW_START)
    return key === null || columns.every(({ name, type }, at) => keyPart(type, row[name]) === key[at])
  }

/** Says of a key whether its window is wanted, as far as a key can tell: where it begins with the window's start. */
export const wantedKey =
  ({ key }: ServedView, hours: readonly EpochMs[] | null): ((text: string) => boolean) =>
  text => {
    if (hours === null || key[0]?.name !== WINDOW_START) return true
    const start = Date.parse(text.slice(0, ISO_LENGTH))
    return Number.isNaN(start) || hours.some(hour => start >= hour && start < hour + HOUR_MS)
  }

/** Of `2026-01-15T10:00:00.000Z`. */
const ISO_LENGTH = 24
