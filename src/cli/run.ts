import { Command } from 'commander'
import type { DurationText } from '../base/duration.ts'
import { MillraceError } from '../base/errors.ts'
import { availableNow, processingTime, type Trigger } from '../microbatch/triggers.ts'
import { bundleFor, type StartOptions } from '../wiring/start.ts'
import { runServed } from './serve.ts'
import { configOf, positiveWhole, type SettingsFlags, withService, withSettings } from './settings.ts'
import { listenForStop } from './stop-signals.ts'

interface RunFlags extends SettingsFlags {
  readonly availableNow?: boolean
  readonly flush?: boolean
  readonly trigger?: string
  readonly batches?: number
  readonly explain?: boolean
  readonly newCheckpoint?: boolean
  readonly resetOffsets?: boolean
}

/** `millrace run <pipeline.ts>`: runs a pipeline until it is stopped. */
export const runCommand = (): Command =>
  withService(withSettings(new Command('run')))
    .description('Run a pipeline until it is stopped (Ctrl-C or SIGTERM), or over what is there now.')
    .argument('<pipeline.ts>', 'file that default-exports a pipeline')
    .option('--available-now', 'read what is there now, in as many batches as it takes, and end')
    .option('--flush', 'with --available-now: close all windows at the end')
    .option(
      '--trigger <interval>',
      'a batch at each multiple of this time, such as 1s; default: as soon as there is data',
    )
    .option('--batches <n>', 'end after so many batches', positiveWhole)
    .option('--explain', 'say why each batch got its ranges')
    .option('--new-checkpoint', 'leave the checkpoint that is there alone and begin another')
    .option('--reset-offsets', 'go on from where the source is told to start, with the state that there is')
    .action(async (file: string, flags: RunFlags) => {
      const signals = listenForStop()
      const trigger = triggerOf(flags)
      const config = await configOf(flags)
      const { plan, artifact } = await bundleFor(file)
      const json = flags.json ?? false
      const options: StartOptions = {
        ...(trigger === null ? {} : { trigger }),
        ...(flags.batches === undefined ? {} : { maxBatches: flags.batches }),
        checkpoint: flags.newCheckpoint === true ? 'new' : 'continue',
        resetOffsets: flags.resetOffsets ?? false,
        consoleFormat: json ? 'json' : 'table',
      }
      await runServed({ plan, artifact, config, options, shown: { json, explain: flags.explain ?? false, signals } })
    })

const triggerOf = (flags: RunFlags): Trigger | null => {
  if (flags.flush === true && flags.availableNow !== true) {
    throw new MillraceError('INVALID_USAGE', '--flush closes windows at the end of a run that has an end', {
      remedy: 'Give --available-now as well.',
    })
  }
  if (flags.availableNow === true && flags.trigger !== undefined) {
    throw new MillraceError('INVALID_USAGE', '--available-now and --trigger exclude each other', {
      remedy: 'Give one of the two.',
    })
  }
  if (flags.availableNow === true) return availableNow({ flush: flags.flush ?? false })
  return flags.trigger === undefined ? null : processingTime(flags.trigger as DurationText)
}
