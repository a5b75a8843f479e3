import { type ErrorRecord, toErrorRecord } from '../../base/errors.ts'
import type { TaskRunner } from '../task-runner.ts'
import type { DriverMessage, WorkerMessage } from './messages.ts'
import { transferableResult } from './transferable-result.ts'

/** A worker's end of the channel to the driver: `parentPort` of worker_threads is one. */
export interface TaskPort {
  on(event: 'message', listener: (message: DriverMessage) => void): unknown
  postMessage(message: WorkerMessage, transfer?: readonly ArrayBuffer[]): void
  close(): void
}

/**
 * The life of a worker thread: makes its runner, says that it is ready, and answers each task with its result or its
 * error until it is told to close. Nothing is thrown: what goes wrong is told to the driver.
 */
export const serveTasks = async (port: TaskPort, makeRunner: () => Promise<TaskRunner>): Promise<void> => {
  const runner = await started(port, makeRunner)
  if (runner === null) return
  const running = new Map<number, AbortController>()
  port.on('message', message => {
    switch (message.kind) {
      case 'run':
        void answer(port, runner, message, running)
        break
      case 'cancel':
        running.get(message.id)?.abort()
        break
      case 'reuse':
        runner.reuse()
        break
      case 'close':
        for (const controller of running.values()) controller.abort()
        void runner.close().finally(() => port.close())
        break
    }
  })
  port.postMessage({ kind: 'ready' })
}

const started = async (port: TaskPort, makeRunner: () => Promise<TaskRunner>): Promise<TaskRunner | null> => {
  try {
    return await makeRunner()
  } catch (error) {
    port.postMessage({ kind: 'startFailed', error: errorRecord(error) })
    port.close()
    return null
  }
}

const answer = async (
  port: TaskPort,
  runner: TaskRunner,
  { id, task }: Extract<DriverMessage, { kind: 'run' }>,
  running: Map<number, AbortController>,
): Promise<void> => {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const { result, transfer } = transferableResult(await runner.run(task, controller.signal))
    port.postMessage({ kind: 'done', id, result }, transfer)
  } catch (error) {
    port.postMessage({ kind: 'failed', id, error: errorRecord(error) })
  } finally {
    running.delete(id)
  }
}

/** Keeps the stack of the cause, which is where the user's lambda is. */
const errorRecord = (error: unknown): ErrorRecord => {
  const record = toErrorRecord(error)
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error) || cause.stack === undefined) return record
  return { ...record, stack: `${record.stack ?? record.message}\ncaused by: ${cause.stack}` }
}
