// Kafka's own Java producer as a service: one process that loads any number of topics, for tests, benches and soaks.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { projectFolder } from '../set-up.mjs'
import { kafkaClassPath } from './kafka.mjs'

const SERVER = join(projectFolder, 'scripts', 'services', 'kafka', 'LoadServer.java')

/**
 * Starts it and waits until it listens. It ends with the process that started it.
 * @returns {Promise<{ port: number, stop: () => Promise<void> }>}
 */
export const startProducer = async () => {
  const options = ['-Xmx512m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const java = spawn('java', [...options, '-cp', kafkaClassPath(), SERVER], { stdio: ['pipe', 'pipe', 'inherit'] })
  java.stdin.on('error', () => undefined)
  const exit = once(java, 'exit')
  const [port] = await Promise.race([once(java.stdout.setEncoding('utf8'), 'data'), exit])
  if (java.exitCode !== null || java.signalCode !== null) throw new Error('The producer did not start: see above.')
  return {
    port: Number(port),
    stop: async () => {
      java.stdin.end()
      await exit
    },
  }
}
