import type { TestProject } from 'vitest/node'
import { startKafka } from '../../../scripts/services/kafka.mjs'
import { build } from '../../../scripts/set-up.mjs'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Bootstrap server of a broker that belongs to this test run. */
    kafkaBrokers: string
    /** Its process, for tests that pause it. */
    kafkaPid: number
    /** Its data. */
    kafkaFolder: string
  }
}

/** Builds the package and runs a broker for the length of the test run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  build()
  const kafka = await startKafka()
  project.provide('kafkaBrokers', kafka.brokers)
  project.provide('kafkaPid', kafka.pid)
  project.provide('kafkaFolder', kafka.folder)
  return () => kafka.stop()
}
