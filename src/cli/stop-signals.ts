import { EXIT } from '../base/errors.ts'

/** What ends a command from outside: SIGINT, SIGTERM, and a reader of its output that went away (`| head`). */
export interface StopSignals {
  /** From now on the first signal calls `stop` instead of ending the process. */
  attach(stop: () => Promise<void>): void
}

/** What an abandoned batch left behind, a function of the user's that hangs, keeps the process no longer than this. */
const LINGER_MS = 1000

/**
 * Listens from now on, for the rest of the process. A signal before something is attached ends the process at once with
 * exit code 0, as nothing has begun yet; afterwards the first one asks for a stop, and a second one ends the process at
 * once (nothing is lost: the next run recovers).
 */
export const listenForStop = (): StopSignals => {
  let attached: (() => Promise<void>) | null = null
  let asked = false
  const ask = (): void => {
    if (attached === null) process.exit(EXIT.ok)
    asked = true
    void attached().then(() => setTimeout(() => process.exit(), LINGER_MS).unref())
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
    ask()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!asked) ask()
  })
  return {
    attach(stop) {
      attached = stop
    },
  }
}
