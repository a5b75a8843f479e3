#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { backfillCommand } from './backfill.ts'
import { configCommand } from './config.ts'
import { demoCommand } from './demo.ts'
import { exitOn } from './exit.ts'
import { planCommand } from './plan.ts'
import { runCommand } from './run.ts'
import { statusCommand } from './status.ts'
import { tablesCommand } from './tables.ts'
import { version } from './version.ts'

// the SDK's advice on versions of Node would stand before every answer on standard error; ours is in `engines`
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

// V8 compiles what runs for a moment as it does what runs for hours: let it wait longer, for the compiler takes a core
setFlagsFromString('--interrupt-budget=600000')
// threads hold little, and would collect all of it again and again to keep their heap as small as that
setFlagsFromString('--initial-old-space-size=32')

const program = new Command('millrace')
  .description('Micro-batch stream processing with backpressure: Kafka to exactly-once Parquet.')
  .version(version())
  .showHelpAfterError()
  .addCommand(demoCommand())
  .addCommand(runCommand())
  .addCommand(backfillCommand())
  .addCommand(tablesCommand())
  .addCommand(planCommand())
  .addCommand(statusCommand())
  .addCommand(configCommand())

await exitOn(program)
