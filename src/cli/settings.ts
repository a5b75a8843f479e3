import { type Command, InvalidArgumentError } from 'commander'
import type { Config } from '../wiring/config/config.ts'
import { type ConfigInput, loadConfig } from '../wiring/config/load-config.ts'

/** Flags that every command with a configuration has. */
export interface SettingsFlags {
  readonly config?: string
  readonly set?: readonly string[]
  readonly root?: string
  readonly workers?: string
  readonly json?: boolean
  readonly listen?: string
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Adds those flags to a command. */
export const withSettings = (command: Command): Command =>
  command
    .option('--root <place>', 'folder or s3://bucket/prefix that tables and checkpoints lie under')
    .option('--config <file>', 'JSON file with configuration')
    .option('--set <key=value>', 'set one value of the configuration; may be repeated', collect)
    .option('--workers <n>', 'worker threads')
    .option('--json', 'one line of JSON for each event, for machines')

/** Adds the flag of commands that run a pipeline and can be watched over HTTP. */
export const withService = (command: Command): Command =>
  command.option('--listen <address>', 'serve health, metrics and a page at host:port, or at a port of 127.0.0.1')

/** What the flags say of the configuration. */
export const configInput = (flags: SettingsFlags): ConfigInput => ({
  ...(flags.config === undefined ? {} : { file: flags.config }),
  env: process.env,
  set: [
    ...(flags.set ?? []),
    ...(flags.root === undefined ? [] : [`root=${flags.root}`]),
    ...(flags.listen === undefined ? [] : [`service.listen=${flags.listen}`]),
    ...(flags.workers === undefined ? [] : [`workers=${flags.workers}`]),
  ],
})

/** The configuration that flags, environment and file make. @throws INVALID_CONFIG */
export const configOf = async (flags: SettingsFlags): Promise<Config> => (await loadConfig(configInput(flags))).config

/** A whole number of at least 1, for commander. */
export const positiveWhole = (text: string): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be a whole number of at least 1.')
}
