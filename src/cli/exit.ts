import { type Command, CommanderError } from 'commander'
import { asMillraceError, EXIT, MillraceError, toErrorRecord } from '../base/errors.ts'
import { escapeControls } from '../base/text-table.ts'

/** Runs the command line and ends the process with the exit code of its outcome; an error says what to do next. */
export const exitOn = async (program: Command): Promise<void> => {
  for (const command of [program, ...program.commands]) {
    command.exitOverride()
    if (forMachines()) command.configureOutput({ writeErr: () => undefined })
  }
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

const forMachines = (): boolean => process.argv.includes('--json')

const report = (error: unknown): number => {
  if (error instanceof CommanderError && (error.exitCode === 0 || !forMachines())) {
    // commander has printed its own message already
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  const known = error instanceof CommanderError ? wrongUsage(error) : asMillraceError(error)
  if (forMachines()) {
    const { stack: _, ...record } = toErrorRecord(known)
    process.stderr.write(`${JSON.stringify({ error: record })}\n`)
  } else {
    process.stderr.write(
      `millrace: ${known.code}: ${escapeControls(known.message)}\n  ${escapeControls(known.remedy)}\n`,
    )
    if (known.code === 'BUG') process.stderr.write(`${known.stack ?? ''}\n`)
  }
  return known.exitCode
}

const wrongUsage = ({ message }: CommanderError): MillraceError =>
  new MillraceError('INVALID_USAGE', message.replace(/^error: /, ''), {
    remedy: 'Look at millrace --help, or --help of the command.',
  })
