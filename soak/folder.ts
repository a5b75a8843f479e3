import { copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Objects } from './bucket.ts'

/** A local root as any reader sees it: files by their paths. */
export class Folder implements Objects {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async list(prefix: string, after = ''): Promise<readonly string[]> {
    const below = await readdir(join(this.#root, prefix), { recursive: true, withFileTypes: true }).catch(() => [])
    return below
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(this.#root.length + 1))
      .filter(key => key > after)
      .toSorted()
  }

  get(key: string): Promise<Uint8Array> {
    return readFile(join(this.#root, key))
  }

  async download(keys: readonly string[], folder: string): Promise<readonly string[]> {
    const paths = keys.map(key => join(folder, key.replaceAll('/', '_')))
    for (const [at, key] of keys.entries()) await copyFile(join(this.#root, key), paths[at] ?? '')
    return paths
  }

  close(): void {}
}
