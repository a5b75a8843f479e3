import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What a bundle is made of and with. */
export interface BundleRecipe {
  /** Folder for artifacts. */
  readonly folder: string
  /** The pipeline file. */
  readonly entry: string
  /** URL of the running Millrace, which the bundle imports. */
  readonly millrace: string
}

interface Made {
  readonly artifact: string
  /** Every file that went into the bundle. */
  readonly inputs: readonly string[]
  /** When bundling began, in epoch milliseconds: what changed since may be in the bundle or not, and is not remembered. */
  readonly startedAtMs: number
}

interface Memory {
  readonly artifact: string
  /** Hashes of the inputs, and of files that say how they are understood; `null` where there was none. */
  readonly files: Readonly<Record<string, string | null>>
}

/** The artifact that was made from the same files before; `null` where one of them changed or there is none. */
export const recall = async (recipe: BundleRecipe): Promise<string | null> => {
  try {
    const { artifact, files } = JSON.parse(await readFile(fileOf(recipe), 'utf8')) as Memory
    const wanted = [...Object.entries(files), [artifact, null] as const]
    const found = await Promise.all(wanted.map(([path]) => hashOf(path)))
    const same = wanted.every(([path, hash], at) => (path === artifact ? found[at] !== null : found[at] === hash))
    return same ? artifact : null
  } catch {
    // no memory, or one that can't be read: the bundle is made anew
    return null
  }
}

/** Notes what an artifact was made from. */
export const remember = async (recipe: BundleRecipe, { artifact, inputs, startedAtMs }: Made): Promise<void> => {
  const paths = [...inputs, ...settingsAbove(recipe.entry)]
  const changes = await Promise.all(paths.map(changedAtMs))
  if (changes.some(changedAt => changedAt >= startedAtMs)) return
  const hashes = await Promise.all(paths.map(async path => [path, await hashOf(path)] as const))
  const memory: Memory = { artifact, files: Object.fromEntries(hashes) }
  const unfinished = `${fileOf(recipe)}.${randomUUID()}`
  await writeFile(unfinished, JSON.stringify(memory))
  await rename(unfinished, fileOf(recipe))
}

const fileOf = ({ folder, entry, millrace }: BundleRecipe): string =>
  join(folder, `${sha256(`${entry}\n${millrace}`).slice(0, 32)}.json`)

/** Settings of the compiler and of packages hold for everything below their folder. */
const settingsAbove = (entry: string): readonly string[] => {
  const found: string[] = []
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    found.push(join(folder, 'tsconfig.json'), join(folder, 'package.json'))
    if (folder === dirname(folder)) return found
  }
}

const changedAtMs = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.mtimeMs ?? 0

const hashOf = async (path: string): Promise<string | null> => {
  const bytes = await readFile(path).catch(() => null)
  return bytes === null ? null : sha256(bytes)
}

const sha256 = (of: string | Uint8Array): string => createHash('sha256').update(of).digest('hex')
