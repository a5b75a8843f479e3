import { parentPort, workerData } from 'node:worker_threads'
import { present } from '../base/assert.ts'
import { serveTasks, type TaskPort } from '../executor/threads/serve-tasks.ts'
import { loadPipeline } from './bundle/load-pipeline.ts'
import { makeRunner } from './runner.ts'
import type { WorkerData } from './worker-data.ts'

/** The first file of a worker thread: loads the pipeline's artifact and serves tasks until it is told to close. */
const data = workerData as WorkerData
const port: TaskPort = present(parentPort, 'parent port') as TaskPort
await serveTasks(port, async () => makeRunner(await loadPipeline(new URL(data.artifactUrl)), data))
