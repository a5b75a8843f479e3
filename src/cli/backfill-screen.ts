import { formatCount, formatMs } from '../base/format.ts'
import { escapeControls } from '../base/text-table.ts'
import type { BatchEvent, HourDone } from '../batch/batch-parts.ts'

const BAR_CELLS = 24

export interface BackfillScreenOptions {
  readonly json: boolean
  /** Whether a bar may be drawn over itself. */
  readonly terminal: boolean
}

/** Shows a backfill: one line for each hour, and on a terminal a bar below them. */
export const backfillScreen = ({ json, terminal }: BackfillScreenOptions) => {
  const progress = { hours: 0, over: 0, computed: 0, rows: 0, failed: 0, startedAt: performance.now() }
  const line = (text: string): void => {
    process.stdout.write(`${terminal ? CLEAR : ''}${escapeControls(text)}\n`)
    if (terminal) process.stdout.write(bar(progress))
  }
  const show = (event: BatchEvent): void => {
    if (json) return void process.stdout.write(`${JSON.stringify(event)}\n`)
    switch (event.kind) {
      case 'backfillStarted':
        progress.hours = event.hours
        return line(`${event.pipeline}: ${event.hours} hours (run ${event.runId})`)
      case 'hourStarted':
        return
      case 'hourDone':
        progress.over += 1
        progress.computed += 1
        progress.rows += event.rowsRead
        return line(doneLine(event))
      case 'hourFailed':
        progress.over += 1
        progress.failed += 1
        return line(`${event.hour}  failed: ${event.code}: ${event.message}`)
      case 'hourSkipped':
        progress.over += 1
        return line(`${event.hour}  skipped: ${event.why}`)
      case 'warning':
        process.stderr.write(`warning: ${event.code}: ${escapeControls(event.message)}\n`)
        return
      case 'backfillEnded':
        return line(`${event.done} hours computed, ${event.skipped} skipped, ${event.failed} failed`)
    }
  }
  return { show, close: () => void (terminal && process.stdout.write(CLEAR)) }
}

const CLEAR = '\r\u001b[K'

const doneLine = ({ hour, generation, rowsRead, badRows, tables, durationMs }: HourDone): string => {
  const results = tables.map(({ table, rows }) => `${table} ${formatCount(rows)} rows`).join(', ')
  const read = rowsRead === 0 ? 'no data' : `${formatCount(rowsRead)} rows read`
  const bad = badRows === 0 ? '' : `, ${formatCount(badRows)} bad`
  return `${hour}  generation ${generation}: ${read}${bad}; ${results}; ${formatMs(Math.round(durationMs))}`
}

interface Progress {
  readonly hours: number
  readonly over: number
  readonly computed: number
  readonly rows: number
  readonly failed: number
  readonly startedAt: number
}

/** `[########----------------]  4/12 hours, 1,440,000 rows, 1 failed, 0:21 left`. */
const bar = ({ hours, over, computed, rows, failed, startedAt }: Progress): string => {
  const filled = hours === 0 ? 0 : Math.round((over / hours) * BAR_CELLS)
  const each = computed === 0 ? null : (performance.now() - startedAt) / over
  const left = each === null ? '' : `, ${clock((hours - over) * each)} left`
  const failures = failed === 0 ? '' : `, ${failed} failed`
  const cells = '#'.repeat(filled) + '-'.repeat(BAR_CELLS - filled)
  return `[${cells}]  ${over}/${hours} hours, ${formatCount(rows)} rows${failures}${left}`
}

const clock = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
