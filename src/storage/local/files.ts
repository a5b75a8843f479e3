import { mkdir, open, readdir, unlink } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { hasCode } from './store-failed.ts'

/** Writes a new file whole; synced to disk where asked. */
export const writeWhole = async (path: string, bytes: Uint8Array, sync: boolean): Promise<void> => {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    if (sync) await file.sync()
  } finally {
    await file.close()
  }
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

/** Deletes a file; one that is gone already is no failure. */
export const unlinkIfThere = async (path: string): Promise<void> => {
  try {
    await unlink(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** What `read` gives, or `null` where it finds no such file. */
export const absentAsNull = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
