import type { History } from '../observe/history.ts'
import type { Vitals } from '../observe/pipeline-monitor.ts'
import type { Readiness } from '../observe/readiness.ts'

/** What routes may ask of a service. */
export interface ServiceView {
  readonly pipeline: string
  readonly version: string
  vitals(): Vitals
  readiness(): Readiness
  readonly history: History
}
