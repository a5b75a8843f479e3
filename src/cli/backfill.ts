import { Command, InvalidArgumentError, Option } from 'commander'
import { formatCount } from '../base/format.ts'
import { parseHour } from '../base/hours.ts'
import { textTable } from '../base/text-table.ts'
import type { Reprocess } from '../batch/backfill.ts'
import type { BatchSource } from '../batch/hour-record.ts'
import { backfill, type PlannedHour, planBackfill } from '../wiring/backfill.ts'
import { bundleFor } from '../wiring/start.ts'
import { backfillScreen } from './backfill-screen.ts'
import { configOf, positiveWhole, type SettingsFlags, withSettings } from './settings.ts'

interface BackfillFlags extends SettingsFlags {
  readonly from: string
  readonly to: string
  readonly source: BatchSource
  readonly reprocess: Reprocess
  readonly maxActive: number
  readonly dryRun?: boolean
}

/** `millrace backfill <pipeline.ts>`: computes hours from what was landed, or from Kafka, and publishes each whole. */
export const backfillCommand = (): Command =>
  withSettings(new Command('backfill'))
    .description('Compute hours again from what was landed, or from Kafka, and publish each whole.')
    .argument('<pipeline.ts>', 'file that default-exports a pipeline')
    .requiredOption('--from <hour>', 'first hour, UTC: 2026-01-15T10')
    .requiredOption('--to <hour>', 'the hour after the last')
    .addOption(new Option('--source <source>', 'where rows are read').choices(['landed', 'kafka']).default('landed'))
    .addOption(
      new Option('--reprocess <which>', 'hours to compute again: those that failed, or all that were completed too')
        .choices(['none', 'failed', 'completed'])
        .default('none'),
    )
    .option('--max-active <n>', 'hours under way at once; they share the workers', atMostSixteen, 1)
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (file: string, flags: BackfillFlags) => {
      const range = { from: parseHour(flags.from, '--from'), until: parseHour(flags.to, '--to') }
      const config = await configOf(flags)
      const { plan, artifact } = await bundleFor(file)
      const json = flags.json ?? false
      const screen = backfillScreen({ json, terminal: process.stdout.isTTY && !json })
      const { source, reprocess, maxActive } = flags
      const request = { plan, artifact, config, source, maxActive, range, reprocess, emit: screen.show }
      if (flags.dryRun === true) {
        const planned = await planBackfill(request)
        process.stdout.write(json ? `${JSON.stringify(planned)}\n` : renderPlan(planned.hours))
        return
      }
      const stop = abortOnSignals()
      try {
        await backfill(request, stop.signal)
      } finally {
        stop.release()
        screen.close()
      }
    })

const atMostSixteen = (text: string): number => {
  const value = positiveWhole(text)
  if (value <= 16) return value
  throw new InvalidArgumentError('It must be at most 16.')
}

/** The first signal stops after what is finished is safe, a second one ends the process: the next run goes on. */
const abortOnSignals = () => {
  const controller = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}

const renderPlan = (hours: readonly PlannedHour[]): string =>
  textTable(
    [
      { name: 'hour', align: 'left' },
      { name: 'would', align: 'left' },
      { name: 'tasks', align: 'right' },
      { name: 'bytes', align: 'right' },
      { name: 'why', align: 'left' },
    ],
    hours.map(({ hour, action, tasks, bytes, why }) => [
      hour,
      action,
      formatCount(tasks),
      formatCount(bytes),
      action === 'compute' && tasks === 0 ? 'no data: an empty hour' : why,
    ]),
    80,
  )
