import type { ErrorRecord } from '../../base/errors.ts'
import type { Task, TaskResult } from '../task.ts'

/** What the driver says to a worker thread. */
export type DriverMessage =
  | { readonly kind: 'run'; readonly id: number; readonly task: Task }
  | { readonly kind: 'cancel'; readonly id: number }
  /** Nobody reads any more the files that the worker gave: their memory may be filled again. */
  | { readonly kind: 'reuse' }
  | { readonly kind: 'close' }

/** What a worker thread says to the driver. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  /** The worker could not load what it needs; it ends by itself. */
  | { readonly kind: 'startFailed'; readonly error: ErrorRecord }
  | { readonly kind: 'done'; readonly id: number; readonly result: TaskResult }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorRecord }
