import { join } from 'node:path'
import { projectFolder } from '../scripts/set-up.mjs'
import { type Command, measureProcess, type ProcessCost } from './measure/process-cost.ts'
import type { BenchTopic } from './topics.ts'

export const JOBS = ['drain', 'window', 'land', 'lambda'] as const
export type Job = (typeof JOBS)[number]

/** How strictly JSON is checked; see `json()`. */
export type Validate = 'fields' | 'row'

export interface JobRun {
  readonly brokers: string
  readonly topic: BenchTopic
  readonly job: Job
  readonly validate: Validate
  /** Where tables and checkpoint go. */
  readonly root: string
  /** Further arguments of `millrace run`. */
  readonly args?: readonly string[]
}

/** The command line of a job: the product as users start it, with its defaults. */
export const jobCommand = ({ brokers, topic, job, validate, root, args = [] }: JobRun): Command => ({
  program: process.execPath,
  args: [
    join(projectFolder, 'dist', 'cli', 'main.js'),
    'run',
    join(projectFolder, 'bench', 'jobs', `${job}.ts`),
    '--available-now',
    '--flush',
    '--json',
    '--root',
    root,
    ...args,
  ],
  env: {
    MILLRACE_KAFKA_BROKERS: brokers,
    BENCH_TOPIC: topic.name,
    BENCH_SIZE: topic.size,
    BENCH_VALIDATE: validate,
  },
})

/** Runs a job over its whole topic, from an empty checkpoint to its end. */
export const runJob = (run: JobRun): Promise<ProcessCost> => measureProcess(jobCommand(run))
