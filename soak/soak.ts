import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { Bucket, type Objects } from './bucket.ts'
import { Daemon, type Run, type Setting } from './daemon.ts'
import { PARTITIONS } from './events.ts'
import { Folder } from './folder.ts'
import { Lister } from './lister.ts'
import type { Places } from './places.ts'
import type { Weather } from './store-watch.ts'
import { verify } from './verifier.ts'
import type { ViewReader } from './view-reader.ts'

const GENERATE = fileURLToPath(new URL('./generate.mjs', import.meta.url))

/** What is sent: a backlog at once, then so many rows per second. */
export interface Load {
  readonly backlog: number
  readonly rate: number
  readonly burst?: { readonly rate: number; readonly seconds: number }
}

/** What is left when all is read. */
export interface Conclusion {
  readonly figures: Readonly<Record<string, number>>
  /** What was lost, doubled, altered, seen too early …: all zero. */
  readonly faults: Readonly<Record<string, number>>
}

export interface SoakOptions {
  readonly places: Places
  readonly load: Load
  readonly view: ViewReader
  readonly maxRate?: number | null
  readonly weather?: Weather
  /** A local folder to land in; the bucket otherwise. */
  readonly root?: string
}

const fine: Weather = () => 'fine'

/** A topic that fills, a bucket's folder that a pipeline lands it in, and those who look and count. */
export class Soak {
  readonly setting: Setting
  readonly view: ViewReader
  readonly #bucket: Objects
  readonly #lister: Lister
  readonly #generator: ChildProcess
  #said = ''

  /** Creates the topic and starts the generator; resolves when the backlog is written. */
  static async begin({ places, load, maxRate = null, weather = fine, view, root }: SoakOptions): Promise<Soak> {
    const id = `soak-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`
    await createTopic(places.brokers, id)
    const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
    const where = root === undefined ? { root: `s3://millrace/${id}`, prefix: `${id}/` } : { root, prefix: '' }
    const soak = new Soak({ places, topic: id, folder, maxRate, weather, ...where }, load, view)
    await soak.#says('"backlog"')
    return soak
  }

  private constructor(setting: Setting, { backlog, rate, burst }: Load, view: ViewReader) {
    this.setting = setting
    this.view = view
    this.#bucket = setting.prefix === '' ? new Folder(setting.root) : new Bucket(setting.places)
    this.#lister = new Lister(this.#bucket, setting.prefix, mkdtempSync(join(setting.folder, 'files-')), view)
    const numbers = [backlog, rate, burst?.rate ?? 0, burst?.seconds ?? 0].map(String)
    this.#generator = spawn(process.execPath, [GENERATE, setting.places.brokers, setting.topic, ...numbers], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // a group of its own: Kafka's producer goes with it
      detached: true,
    })
    const atExit = (): void => this.#endGenerator()
    process.once('exit', atExit)
    this.#generator.once('exit', () => process.off('exit', atExit))
    this.#generator.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    this.#lister.start()
  }

  daemon(run: Run): Promise<Daemon> {
    return Daemon.start(this.setting, run)
  }

  /** Ends the generator, lets the pipeline read to the end, and compares. */
  async conclude(): Promise<Conclusion> {
    const { sent, files } = await this.#drain()
    const folder = files[0] === undefined ? this.setting.folder : join(files[0], '..')
    const { prefix } = this.setting
    const landed = { bucket: this.#bucket, prefix, folder, view: await this.view.read() }
    const { rows, ...counted } = await verify(landed, sent)
    const { looks, viewLooks, rowsSeen, ...seen } = this.#lister.sightings
    return {
      figures: {
        'rows sent': sent.reduce((sum, each) => sum + each, 0),
        'rows landed': rows,
        'looks at the table': looks,
        'looks at the view': viewLooks,
      },
      faults: { ...counted, ...seen, 'rows that no look saw': rows - rowsSeen },
    }
  }

  close(): void {
    this.#endGenerator()
    this.#bucket.close()
    rmSync(this.setting.folder, { recursive: true, force: true })
  }

  #endGenerator(): void {
    const { pid, exitCode } = this.#generator
    if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL')
  }

  async #drain(): Promise<{ readonly sent: readonly number[]; readonly files: readonly string[] }> {
    this.#generator.kill('SIGTERM')
    await this.#says('"sent"')
    const { sent } = JSON.parse(this.#said.trim().split('\n').at(-1) ?? '') as { readonly sent: readonly number[] }
    const last = await this.daemon({ version: 2, workers: 2, args: ['--available-now', '--flush'] })
    const { code } = await last.ended
    const files = await this.#lister.stop()
    if (code !== 0) throw new Error(`the last run ended with ${code}:\n${last.lastWords}`)
    return { sent, files }
  }

  async #says(what: string): Promise<void> {
    while (!this.#said.includes(what)) {
      if (this.#generator.exitCode !== null) throw new Error(`the generator ended: ${this.#said}`)
      await Promise.race([once(this.#generator.stdout ?? this.#generator, 'data'), once(this.#generator, 'exit')])
    }
  }
}

const createTopic = async (brokers: string, topic: string): Promise<void> => {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const configEntries = [{ name: 'retention.ms', value: '-1' }]
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS, configEntries }] })
  await admin.disconnect()
}
