import { parentPort, workerData } from 'node:worker_threads'
import { present } from '../base/assert.ts'
import { serveTasks } from '../executor/threads/serve-tasks.ts'
import { loadPipeline } from './bundle/load-pipeline.ts'
import { makeRunner } from './runner.ts'
import type { WorkerData } from './worker-data.ts'

/** The first file of a worker thread: loads the pipeline's artifact and serves tasks until it is told to close. */
const data = workerData as WorkerData
await serveTasks(present(parentPort, 'parent port'), async () =>
  makeRunner(await loadPipeline(new URL(data.artifactUrl)), data),
)
