import type { Objects } from './bucket.ts'

interface Entry {
  readonly entry: {
    readonly batchId: number
    readonly partitions: readonly { readonly partition: number; readonly offset: number }[]
    readonly receipts: unknown
  }
}

/** The commit log as it lies in the bucket, read as JSON: which files are committed, and how far each batch had read. */
export class CommitLog {
  readonly #bucket: Objects
  readonly #prefix: string
  readonly #folder: string
  readonly #listed = new Set<string>()
  readonly #ends = new Map<number, readonly number[]>()
  #newest: string | undefined

  constructor(bucket: Objects, prefix: string) {
    this.#bucket = bucket
    this.#prefix = prefix
    this.#folder = `${prefix}_checkpoints/soak/gen-0001/commits/`
  }

  /** Reads what is new. */
  async follow(): Promise<void> {
    for (const key of await this.#bucket.list(this.#folder, this.#newest)) {
      const { entry } = JSON.parse(Buffer.from(await this.#bucket.get(key)).toString()) as Entry
      for (const file of keysIn(entry.receipts)) this.#listed.add(`${this.#prefix}${file}`)
      const ends = [...entry.partitions].toSorted((one, other) => one.partition - other.partition)
      this.#ends.set(
        entry.batchId,
        ends.map(({ offset }) => offset),
      )
      this.#newest = key
    }
  }

  /** Whether a commit lists this object. */
  lists(key: string): boolean {
    return this.#listed.has(key)
  }

  /** Offsets that each partition was read up to in a batch. */
  endsOf(batch: number): readonly number[] | undefined {
    return this.#ends.get(batch)
  }

  get batches(): number {
    return this.#ends.size
  }
}

/** Every `key` anywhere in a JSON value. */
const keysIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, below]) =>
    name === 'key' && typeof below === 'string' ? [below] : keysIn(below),
  )
}
