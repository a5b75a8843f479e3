import type { BatchId } from '../base/units.ts'

const digits = (value: number, width: number): string => String(value).padStart(width, '0')
const numberIn = (pattern: RegExp, key: string): number | null => {
  const found = pattern.exec(key)?.[1]
  return found === undefined ? null : Number(found)
}

/**
 * Where the parts of a pipeline's checkpoint lie in its store:
 *
 *     _checkpoints/<pipeline>/epochs/000001.json            who has owned the pipeline
 *     _checkpoints/<pipeline>/gen-0001/header.json          what this checkpoint was made for
 *     _checkpoints/<pipeline>/gen-0001/offsets/….json       the offset log: one plan for each batch
 *     _checkpoints/<pipeline>/gen-0001/commits/….json       the commit log
 *     _checkpoints/<pipeline>/gen-0001/published/….json     batches after which a driver ended with all of it visible
 *     _checkpoints/<pipeline>/gen-0001/state/…              state objects that commits list
 *     _checkpoints/<pipeline>/gen-0001/oldest.json          the oldest batch that the logs still hold
 *
 * A new checkpoint is a new generation; epochs are the pipeline's, so that it fences drivers of the old one.
 */
export class CheckpointLayout {
  readonly #root: string

  constructor(pipeline: string) {
    this.#root = `_checkpoints/${pipeline}`
  }

  get epochs(): string {
    return `${this.#root}/epochs/`
  }

  /** Where it is tried whether the store's conditions hold. */
  get trials(): string {
    return `${this.#root}/trials`
  }

  epoch(number: number): string {
    return `${this.epochs}${digits(number, 6)}.json`
  }

  epochOf(key: string): number | null {
    return numberIn(/\/epochs\/(\d+)\.json$/, key)
  }

  generation(number: number): GenerationLayout {
    return new GenerationLayout(`${this.#root}/gen-${digits(number, 4)}`)
  }
}

/** The part of the layout that belongs to one generation. */
export class GenerationLayout {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  get header(): string {
    return `${this.#root}/header.json`
  }

  get oldest(): string {
    return `${this.#root}/oldest.json`
  }

  get plans(): string {
    return `${this.#root}/offsets/`
  }

  get commits(): string {
    return `${this.#root}/commits/`
  }

  get publications(): string {
    return `${this.#root}/published/`
  }

  get states(): string {
    return `${this.#root}/state/`
  }

  plan(batch: number): string {
    return `${this.plans}${digits(batch, 12)}.json`
  }

  commit(batch: number): string {
    return `${this.commits}${digits(batch, 12)}.json`
  }

  publication(batch: number): string {
    return `${this.publications}${digits(batch, 12)}.json`
  }

  state(batch: BatchId, branch: number, part: 'snapshot' | 'changes', nonce: string): string {
    return `${this.states}${digits(batch, 12)}-${branch}-${part}-${nonce.slice(0, 16)}`
  }

  /** The batch that an entry or a state object belongs to. */
  batchOf(key: string): number | null {
    return numberIn(/\/(\d{12})(?:\.json|-\d+-(?:snapshot|changes)-[0-9a-f]+)$/, key)
  }
}
