import { Command } from 'commander'
import { processingTime } from '../microbatch/triggers.ts'
import demoPipeline from '../wiring/demo-pipeline.ts'
import { demoArtifact } from '../wiring/start.ts'
import { runServed } from './serve.ts'
import { configOf, positiveWhole, type SettingsFlags, withService, withSettings } from './settings.ts'
import { listenForStop } from './stop-signals.ts'

interface DemoFlags extends SettingsFlags {
  readonly batches?: number
  readonly explain?: boolean
}

/** The demo can be watched; on a free port, as it must run whatever else does. `--listen none` turns that off. */
const ANY_PORT = '127.0.0.1:0'

/** `millrace demo`: generated playback events through the whole engine into a local folder; no service needed. */
export const demoCommand = (): Command =>
  withService(withSettings(new Command('demo')))
    .description('Run the built-in demo: generated events, landed and counted into Parquet in a local folder.')
    .option('--batches <n>', 'end after so many batches; default: run until Ctrl-C', positiveWhole)
    .option('--explain', 'say why each batch got its ranges')
    .action(async (flags: DemoFlags) => {
      const signals = listenForStop()
      const config = await configOf({ listen: ANY_PORT, ...flags })
      const json = flags.json ?? false
      await runServed({
        plan: demoPipeline,
        artifact: demoArtifact(),
        config,
        options: {
          trigger: processingTime('1s'),
          ...(flags.batches === undefined ? {} : { maxBatches: flags.batches }),
          consoleFormat: json ? 'json' : 'table',
        },
        shown: { json, explain: flags.explain ?? false, signals },
      })
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
