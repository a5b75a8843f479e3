import { constants, existsSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { hasCode } from './store-failed.ts'

/**
 * Up to so many bytes go to and from the page cache by a synchronous call, as names do: that takes some ten microseconds, and
 * handing it to the thread pool and back ten times as long, which a driver under a trickle would mostly be busy with.
 */
const PROMPT_BYTES = 64 * 1024

/**
 * From so many bytes on a file goes to the disk past the page cache, where the file system can do that. Its readers come
 * later, if at all, and until then the kernel's copy costs memory of others, and CPU: most of all on a virtual machine,
 * where pages that were never used are slow to get.
 */
const BULK_BYTES = 1_048_576
/** What devices write in. */
const BLOCK_BYTES = 4096

/** Writes a new file whole; synced to disk where asked. */
export const writeWhole = async (path: string, bytes: Uint8Array, sync: boolean): Promise<void> => {
  if (!sync && bytes.length <= PROMPT_BYTES) return writeFileSync(path, bytes, { flag: 'wx' })
  const file = await open(path, 'wx')
  try {
    let at = bytes.length >= BULK_BYTES ? await writeDirectly(path, bytes) : 0
    while (at < bytes.length) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten
    if (sync) await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Writes the beginning of a file in whole blocks, from the memory where it lies.
 * @returns how many bytes; none where file system, device or the memory's address do not allow it
 */
const writeDirectly = async (path: string, bytes: Uint8Array): Promise<number> => {
  const until = bytes.length - (bytes.length % BLOCK_BYTES)
  let at = 0
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_DIRECT)
    try {
      while (at < until) at += (await file.write(bytes, at, until - at, at)).bytesWritten
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error
  }
  return at
}

/** Makes the names in a folder survive a loss of power. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder and those above it; with `sync`, every new name on the way is synced. */
export const makeFolder = async (folder: string, sync: boolean): Promise<void> => {
  const first = await mkdir(folder, { recursive: true })
  if (!sync || first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** Paths of all files below a folder, relative to it, with `/`; none where the folder is missing. */
export const filesBelow = async (folder: string): Promise<readonly string[]> => {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = entries.filter(entry => entry.isFile())
    return files.map(file => join(file.parentPath, file.name).slice(join(folder, sep).length).replaceAll(sep, '/'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

/** Bytes of a file; `null` where there is none. */
export const readWhole = async (path: string): Promise<Uint8Array | null> => {
  const size = sizeOf(path)
  if (size === null) return null
  return absentAsNull(() => (size <= PROMPT_BYTES ? readFileSync(path) : readFile(path)))
}

/** Bytes in a file; `null` where there is none. */
export const sizeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null

/** Gives a finished file a second name, at once and never over another; `exists` where that is taken. */
export const linkNew = (finished: string, name: string): 'created' | 'exists' => {
  try {
    linkSync(finished, name)
    return 'created'
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return 'exists'
    throw error
  }
}

/** Deletes a file; one that is gone already is no failure. */
export const unlinkIfThere = (path: string): void => {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** Names in a folder; none where it is missing. */
export const namesIn = async (folder: string): Promise<readonly string[]> =>
  existsSync(folder) ? ((await absentAsNull(() => readdir(folder))) ?? []) : []

/** What `read` gives, or `null` where it finds no such file. */
export const absentAsNull = async <T>(read: () => T | Promise<T>): Promise<T | null> => {
  try {
    return await read()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
