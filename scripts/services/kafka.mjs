// A real Kafka broker (KRaft, one node, loopback) from Maven Central, for tests, benches and by hand:
//   node scripts/services/kafka.mjs [port]     starts it and stops it with Ctrl-C
import { execFile, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { projectFolder } from '../set-up.mjs'
import { answers, end, endWithThisProcess, freePort } from './processes.mjs'

const JARS = join(projectFolder, '.cache', 'kafka-jars')
const START_TIMEOUT_MS = 90_000
const CLUSTER_ID = 'millraceTestCluster001'

/** @returns {string} a class path of the broker, its tools and clients; fetched once */
export const kafkaClassPath = () => {
  if (!existsSync(JARS)) {
    requireCommand('java', ['-version'])
    requireCommand('mvn', ['-version'])
    const part = `${JARS}.${process.pid}.part`
    const pom = join(projectFolder, 'scripts', 'services', 'kafka', 'pom.xml')
    const goal = 'dependency:copy-dependencies'
    const { status } = spawnSync('mvn', ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${part}`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (status !== 0) throw new Error('Maven could not fetch Kafka: look at its messages above.')
    if (existsSync(JARS)) rmSync(part, { recursive: true })
    else renameSync(part, JARS)
  }
  return join(JARS, '*')
}

const requireCommand = (command, args) => {
  if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return
  throw new Error(`${command} is missing; install it with: apt-get install -y openjdk-17-jre-headless maven`)
}

/**
 * Starts a broker and waits until it answers.
 * @param {{ port?: number }} [options]
 * @returns {Promise<{ brokers: string, pid: number, folder: string, stop: () => Promise<void>, restart: () => Promise<void> }>}
 */
export const startKafka = async ({ port } = {}) => {
  const classPath = kafkaClassPath()
  const listener = port ?? (await freePort())
  const controller = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const properties = join(folder, 'server.properties')
  writeFileSync(properties, serverProperties(folder, listener, controller))
  // not one that blocks: other services start at the same time
  const format = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties]
  await promisify(execFile)('java', format).catch(error => {
    throw new Error(`Kafka's storage could not be formatted:\n${error.stderr}`)
  })
  let broker = await launch(classPath, properties, folder, listener)
  const stopBroker = () => end(broker, 15_000)
  return {
    brokers: `127.0.0.1:${listener}`,
    get pid() {
      return broker.pid
    },
    folder,
    restart: async () => {
      await stopBroker()
      broker = await launch(classPath, properties, folder, listener)
    },
    stop: async () => {
      await stopBroker()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const launch = async (classPath, properties, folder, port) => {
  const log = openSync(join(folder, 'broker.log'), 'a')
  const broker = spawn('java', ['-Xmx768m', '-Xms256m', '-cp', classPath, 'kafka.Kafka', properties], {
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  endWithThisProcess(broker)
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!readFileSync(join(folder, 'broker.log'), 'utf8').includes('Kafka Server started') || !(await answers(port))) {
    if (broker.exitCode === null && Date.now() < deadline) {
      await sleep(200)
      continue
    }
    broker.kill('SIGKILL')
    const tail = readFileSync(join(folder, 'broker.log'), 'utf8').split('\n').slice(-15).join('\n')
    throw new Error(`Kafka did not start:\n${tail}`)
  }
  return broker
}

const serverProperties = (folder, port, controller) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${join(folder, 'data')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
message.max.bytes=20971520
log.cleaner.backoff.ms=500
log.message.timestamp.before.max.ms=9223372036854775807
log.message.timestamp.after.max.ms=9223372036854775807
`

if (process.argv[1] === import.meta.filename) {
  const kafka = await startKafka({ port: Number(process.argv[2] ?? 9092) })
  console.log(`Kafka answers at ${kafka.brokers} (pid ${kafka.pid}); Ctrl-C stops it and deletes its data.`)
  const stop = () => void kafka.stop().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
