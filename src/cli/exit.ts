import { type Command, CommanderError } from 'commander'
import { asMillraceError, EXIT, toErrorRecord } from '../base/errors.ts'
import { escapeControls } from '../base/text-table.ts'

/** Runs the command line and ends the process with the exit code of its outcome; an error says what to do next. */
export const exitOn = async (program: Command): Promise<void> => {
  for (const command of [program, ...program.commands]) command.exitOverride()
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

const report = (error: unknown): number => {
  // commander has printed its own message already
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  const known = asMillraceError(error)
  if (process.argv.includes('--json')) {
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
