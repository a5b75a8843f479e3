import { Command } from 'commander'
import { processingTime } from '../microbatch/triggers.ts'
import demoPipeline from '../wiring/demo-pipeline.ts'
import { demoArtifact, startWith } from '../wiring/start.ts'
import { follow } from './follow.ts'
import { configOf, positiveWhole, type SettingsFlags, withSettings } from './settings.ts'

interface DemoFlags extends SettingsFlags {
  readonly batches?: number
  readonly explain?: boolean
}

/** `millrace demo`: generated playback events through the whole engine into a local folder; no service needed. */
export const demoCommand = (): Command =>
  withSettings(new Command('demo'))
    .description('Run the built-in demo: generated events, landed and counted into Parquet in a local folder.')
    .option('--batches <n>', 'end after so many batches; default: run until Ctrl-C', positiveWhole)
    .option('--explain', 'say why each batch got its ranges')
    .action(async (flags: DemoFlags) => {
      const config = await configOf(flags)
      const json = flags.json ?? false
      const query = await startWith(demoPipeline, demoArtifact(), config, {
        trigger: processingTime('1s'),
        ...(flags.batches === undefined ? {} : { maxBatches: flags.batches }),
        consoleFormat: json ? 'json' : 'table',
      })
      await follow(query, { json, explain: flags.explain ?? false })
      if (!json) process.stdout.write(whereItIs(config.root))
    })

const whereItIs = (root: string): string =>
  [
    '',
    `The files are in ${root}: raw/plays holds the events, trending the counts.`,
    'Query them with DuckDB:',
    `  duckdb -c "SELECT content_id, sum(plays) AS plays FROM '${root}/trending/**/*.parquet' GROUP BY 1 ORDER BY 2 DESC LIMIT 10"`,
    '',
  ].join('\n')
