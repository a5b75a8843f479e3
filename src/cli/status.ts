import { Command } from 'commander'
import { formatCount, formatMs } from '../base/format.ts'
import { type TextColumn, textTable } from '../base/text-table.ts'
import type { RedisStatus } from '../wiring/redis.ts'
import { bundleFor } from '../wiring/start.ts'
import { type PipelineStatus, statusOf } from '../wiring/status.ts'
import { configOf, type SettingsFlags, withSettings } from './settings.ts'

/** `millrace status <pipeline.ts>`: what is committed, what waits, and the last batches. Takes nothing over. */
export const statusCommand = (): Command =>
  withSettings(new Command('status'))
    .description('Show what a pipeline has committed, its lag, its rate and its last batches.')
    .argument('<pipeline.ts>', 'file that default-exports a pipeline')
    .action(async (file: string, flags: SettingsFlags) => {
      const config = await configOf(flags)
      const { plan } = await bundleFor(file)
      const status = await statusOf(plan, config)
      process.stdout.write(flags.json === true ? `${JSON.stringify(status)}\n` : render(status))
    })

const PARTITION_COLUMNS: readonly TextColumn[] = [
  { name: 'partition', align: 'left' },
  { name: 'next offset', align: 'right' },
  { name: 'end', align: 'right' },
  { name: 'lag', align: 'right' },
]
const BATCH_COLUMNS: readonly TextColumn[] = [
  { name: 'batch', align: 'right' },
  { name: 'committed', align: 'left' },
  { name: 'rows', align: 'right' },
  { name: 'since the one before', align: 'right' },
]

const VIEW_COLUMNS: readonly TextColumn[] = [
  { name: 'view', align: 'left' },
  { name: 'status', align: 'left' },
  { name: 'batch', align: 'right' },
  { name: 'committed', align: 'left' },
  { name: 'rows', align: 'right' },
]

const render = (status: PipelineStatus): string =>
  [renderProgress(status), ...status.warnings.map(warning => `warning: ${warning}\n`)].join('')

const renderProgress = (status: PipelineStatus): string => {
  if (status.committed === null) {
    return `${status.pipeline} has committed nothing under ${status.root}${status.openPlan === null ? '' : '; a plan is open'}\n`
  }
  const { committed, openPlan, partitions, recent } = status
  const lines = [
    `${status.pipeline}: batch ${committed.batchId} committed ${committed.committedAt} by driver epoch ${committed.epoch}`,
    openPlan === null ? 'no batch is open' : `batch ${openPlan} is planned and not committed`,
    `watermark ${status.watermark ?? 'none yet'}, learned rate ${status.rowsPerSecond === null ? 'none' : `${formatCount(Math.round(status.rowsPerSecond))} rows/s`}`,
    `rows read since the beginning ${formatCount(status.rowsRead)}, dead letters ${formatCount(status.badRows)}`,
    textTable(
      PARTITION_COLUMNS,
      partitions.map(each => [
        `${each.topic}/${each.partition}`,
        formatCount(each.offset),
        each.latest === null ? 'unknown' : formatCount(each.latest),
        each.lag === null ? 'unknown' : formatCount(each.lag),
      ]),
    ),
    textTable(
      BATCH_COLUMNS,
      recent.map(each => [
        String(each.batchId),
        each.committedAt,
        formatCount(each.rows),
        each.afterMs === null ? '' : formatMs(each.afterMs),
      ]),
    ),
    ...(status.redis === null ? [] : redisLines(status.redis, committed.batchId)),
    ...(status.sourceError === null ? [] : ['', `the source did not answer: ${status.sourceError}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** What Redis says, beside the batch that the checkpoint says. */
const redisLines = ({ driver, views, location, error }: RedisStatus, batchId: number): readonly string[] => {
  if (error !== null) return [`Redis could not be asked: ${error}`]
  const lease =
    driver === null
      ? `no driver holds the lease in ${location}`
      : `driver epoch ${driver.epoch} runs at ${driver.host}, pid ${driver.pid}, since ${driver.since}`
  const table = textTable(
    VIEW_COLUMNS,
    views.map(({ name, state }) =>
      state === null
        ? [name, 'not there', '', '', '']
        : [name, state.status, behind(state.batch, batchId), state.committedAt, formatCount(state.rows)],
    ),
  )
  return views.length === 0 ? [lease] : [lease, table]
}

const behind = (batch: number | null, newest: number): string => {
  if (batch === null) return 'none'
  return batch >= newest ? String(batch) : `${batch}, ${newest - batch} behind`
}
