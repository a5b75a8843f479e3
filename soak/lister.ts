import { setTimeout as sleep } from 'node:timers/promises'
import { type Duck, openDuck } from '../test/support/duckdb.ts'
import type { Objects } from './bucket.ts'
import { CommitLog } from './commit-log.ts'
import { goodRows, PARTITIONS } from './events.ts'
import { OffsetSet } from './offset-set.ts'
import type { ViewReader } from './view-reader.ts'

/** What a reader must never see. */
export interface Sightings {
  looks: number
  viewLooks: number
  rowsSeen: number
  seenTwice: number
  uncommitted: number
  gone: number
  wrongViews: number
}

/** The shares of a core that looking may take. */
const REST = 2
const LEAST_REST_MS = 100

/**
 * Looks at the table and at the view all the time, as readers would: every file that is there must be one that a commit
 * lists by then, stays, and holds no row that was there before; the view must hold what its batch had read.
 */
export class Lister {
  readonly sightings: Sightings = {
    looks: 0,
    viewLooks: 0,
    rowsSeen: 0,
    seenTwice: 0,
    uncommitted: 0,
    gone: 0,
    wrongViews: 0,
  }
  readonly #bucket: Objects
  readonly #prefix: string
  readonly #folder: string
  readonly #view: ViewReader
  readonly #log: CommitLog
  readonly #offsets = Array.from({ length: PARTITIONS }, () => new OffsetSet())
  readonly #files = new Map<string, string>()
  #looking: Promise<void> = Promise.resolve()
  #isOn = true

  constructor(bucket: Objects, prefix: string, folder: string, view: ViewReader) {
    this.#bucket = bucket
    this.#prefix = prefix
    this.#folder = folder
    this.#view = view
    this.#log = new CommitLog(bucket, prefix)
  }

  start(): void {
    this.#looking = this.#look()
    // told by stop(); until then it must not count as unhandled
    this.#looking.catch(() => undefined)
  }

  /** Ends after a last look; answers the table's files in the order of their names. @throws what looking threw */
  async stop(): Promise<readonly string[]> {
    this.#isOn = false
    await this.#looking
    return [...this.#files].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, path]) => path)
  }

  async #look(): Promise<void> {
    const duck = await openDuck()
    for (let isLast = false; !isLast; ) {
      isLast = !this.#isOn
      const began = performance.now()
      await this.#lookAtTable(duck)
      await this.#lookAtView()
      if (!isLast) await sleep(Math.max(LEAST_REST_MS, REST * (performance.now() - began)))
    }
    duck.close()
  }

  async #lookAtTable(duck: Duck): Promise<void> {
    const { sightings } = this
    sightings.looks += 1
    const visible = new Set(await this.#bucket.list(`${this.#prefix}raw/`))
    for (const file of this.#files.keys()) {
      // one that comes back is seen anew, and its rows are seen twice
      if (!visible.has(file) && this.#files.delete(file)) sightings.gone += 1
    }
    const fresh = [...visible].filter(file => !this.#files.has(file))
    if (fresh.length === 0) return
    // what was visible then must be listed by a commit that is there now
    await this.#log.follow()
    for (const file of fresh) if (!this.#log.lists(file)) sightings.uncommitted += 1
    const paths = await this.#bucket.download(fresh, this.#folder)
    for (const [at, file] of fresh.entries()) this.#files.set(file, paths[at] ?? '')
    const list = paths.map(path => `'${path}'`).join(', ')
    const rows = await duck.columns(`SELECT partition::INTEGER, "offset"::DOUBLE FROM read_parquet([${list}])`)
    const [partitions = [], offsets = []] = rows
    for (let at = 0; at < offsets.length; at += 1) {
      sightings.rowsSeen += 1
      if (!this.#offsets[Number(partitions[at])]?.add(Number(offsets[at]))) sightings.seenTwice += 1
    }
  }

  /** Views that are being rebuilt say so, and are passed over; Redis may be away. */
  async #lookAtView(): Promise<void> {
    const view = await this.#view.read()
    if (view === null || view.batch === null) return
    await this.#log.follow()
    const ends = this.#log.endsOf(view.batch)
    this.sightings.viewLooks += 1
    const committed = ends?.reduce((rows, end) => rows + goodRows(end), 0)
    if (view.events !== committed) this.sightings.wrongViews += 1
  }
}
