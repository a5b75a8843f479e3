import { spawnSync } from 'node:child_process'
import { measureProcess, type ProcessCost } from './process-cost.ts'

const INSTALL = ['install', '-y', '-qq', 'kafkacat']
const isThere = (): boolean => spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0

/** Makes sure of kcat, the floor that everything is compared to. @throws Error naming the command that installs it */
export const requireKcat = (): void => {
  if (isThere()) return
  if (process.getuid?.() === 0) {
    process.stderr.write('Installing kcat (apt-get install kafkacat) …\n')
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' })
    spawnSync('apt-get', INSTALL, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    if (isThere()) return
  }
  throw new Error('kcat is missing; install it with: apt-get install -y kafkacat')
}

/** librdkafka's bare read of a whole topic: every record is delivered to the program and dropped. */
export const kcatRead = (brokers: string, topic: string): Promise<ProcessCost> =>
  measureProcess({
    program: 'kcat',
    args: ['-C', '-b', brokers, '-t', topic, '-o', 'beginning', '-e', '-q'],
    quiet: true,
  })
