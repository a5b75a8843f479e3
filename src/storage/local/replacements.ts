import { randomBytes } from 'node:crypto'
import { readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { crcHex } from '../../base/crc32c.ts'
import { MillraceError } from '../../base/errors.ts'
import type { VersionedObject } from '../object-store.ts'
import { absentAsNull, linkNew, namesIn, readWhole, syncFolder, unlinkIfThere, writeWhole } from './files.ts'
import { hasCode } from './store-failed.ts'

/** A replacement that was decided: its number and the name of the file with the new bytes, until that is in place. */
interface Decision {
  readonly number: number
  readonly nonce: string
}

/** Where one key lies, and where its replacements are decided. */
export interface ReplaceablePaths {
  /** The file that readers and listers see. */
  readonly final: string
  /** A folder of this key's own, on the same file system; it must be there. */
  readonly versions: string
  readonly sync: boolean
}

const DECISION = /^(\d{12})$/
const UNDECIDED = /^(\d{12})\.([0-9a-f]{32})\.(?:new|decision)$/
const NONCE = /^[0-9a-f]{32}$/
/** Decisions that are kept: a writer that slept through fewer can tell whether its number was taken before. */
const RETAINED = 100

/**
 * Compare-and-swap on a file, among any number of processes that may be killed at any moment:
 *
 *     000000000007.<nonce>.new   bytes that want to become replacement 7, whole
 *     000000000007               the decision: says whose nonce it is; made by `link`, so one writer achieves it
 *
 * A rename of the decided `.new` over the file then puts it in place. The source of a rename is there once, so that happens
 * once, whoever does it: the writer, or whoever comes next after a crash. Replacement 8 is only decided when 7 is in
 * place, so a file never goes back to older bytes. A file without decisions is version 0.
 *
 * @param expected version as `readVersioned` told it
 * @throws STORE_FAILED where the outcome can't be told: a hundred replacements passed between two steps of this one
 */
export const replaceGuarded = async (
  paths: ReplaceablePaths,
  bytes: Uint8Array,
  expected: string,
): Promise<{ readonly version: string } | 'conflict'> => {
  const current = await readVersioned(paths)
  if (current?.version !== expected) return 'conflict'
  const decision = { number: numberOf(expected) + 1, nonce: randomBytes(16).toString('hex') }
  await writeWhole(undecided(paths, decision, 'new'), bytes, paths.sync)
  if (!(await decide(paths, decision))) {
    unlinkIfThere(undecided(paths, decision, 'new'))
    return 'conflict'
  }
  await putInPlace(paths, decision)
  await clearUp(paths, decision)
  return { version: versionOf(decision) }
}

/** The bytes and their version; finishes a replacement that a crash left half done. `null` where there is no file. */
export const readVersioned = async (paths: ReplaceablePaths): Promise<VersionedObject | null> => {
  for (;;) {
    const decision = await newestDecision(paths)
    if (decision !== null) await putInPlace(paths, decision)
    const bytes = await readWhole(paths.final)
    // a replacement between the two looks may have been in place already when the bytes were read
    if ((await newestDecision(paths))?.nonce !== decision?.nonce) continue
    if (bytes === null) return null
    const version = decision === null ? firstVersion(bytes) : versionOf(decision)
    return { bytes: new Uint8Array(bytes), version }
  }
}

/** Forgets all replacements of a key, the newest last: the file is version 0 then. */
export const forgetReplacements = async (versions: string): Promise<void> => {
  const names = await namesIn(versions)
  for (const name of names.toSorted()) unlinkIfThere(join(versions, name))
}

/** The version of a file that was never replaced. */
export const firstVersion = (bytes: Uint8Array): string => `0.${crcHex(crc32c(bytes))}`

const versionOf = ({ number, nonce }: Decision): string => `${number}.${nonce}`
const numberOf = (version: string): number => Number(version.slice(0, version.indexOf('.')))
const digits = (number: number): string => String(number).padStart(12, '0')
const undecided = ({ versions }: ReplaceablePaths, { number, nonce }: Decision, kind: 'new' | 'decision'): string =>
  join(versions, `${digits(number)}.${nonce}.${kind}`)

/** Whether this writer's bytes come next. */
const decide = async (paths: ReplaceablePaths, decision: Decision): Promise<boolean> => {
  const temporary = undecided(paths, decision, 'decision')
  const decided = join(paths.versions, digits(decision.number))
  await writeWhole(temporary, new TextEncoder().encode(decision.nonce), paths.sync)
  // a decision must not be on disk before the bytes that it is for
  if (paths.sync) await syncFolder(paths.versions)
  try {
    if (linkNew(temporary, decided) === 'exists') return false
  } catch (error) {
    // taken so long ago that the winner has cleared up
    if (hasCode(error, 'ENOENT')) return false
    throw error
  } finally {
    unlinkIfThere(temporary)
  }
  if (paths.sync) await syncFolder(paths.versions)
  if ((await newestNumber(paths)) - decision.number < RETAINED) return true
  unlinkIfThere(decided)
  throw new MillraceError('STORE_FAILED', `${paths.final} was replaced over and over while one replacement was made`, {
    remedy: 'Read it and decide anew; a machine that was suspended meanwhile needs no other cause.',
  })
}

const putInPlace = async (paths: ReplaceablePaths, decision: Decision): Promise<void> => {
  try {
    await rename(undecided(paths, decision, 'new'), paths.final)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  if (paths.sync) await syncFolder(dirname(paths.final))
}

const newestNumber = async ({ versions }: ReplaceablePaths): Promise<number> => {
  const names = await namesIn(versions)
  return names.reduce((newest, name) => Math.max(newest, Number(DECISION.exec(name)?.[1] ?? 0)), 0)
}

const newestDecision = async (paths: ReplaceablePaths): Promise<Decision | null> => {
  for (;;) {
    const number = await newestNumber(paths)
    if (number === 0) return null
    const decided = join(paths.versions, digits(number))
    const nonce = await absentAsNull(() => readFile(decided, 'utf8'))
    if (nonce === null) continue
    if (NONCE.test(nonce)) return { number, nonce }
    throw new MillraceError('STORE_FAILED', `${decided} is damaged: it names no replacement`, {
      remedy: `Look whether ${paths.final} is what it should be, then remove ${paths.versions}.`,
    })
  }
}

/** Removes old decisions, and the bytes of writers whose number was taken. */
const clearUp = async ({ versions }: ReplaceablePaths, newest: Decision): Promise<void> => {
  for (const name of await namesIn(versions)) {
    const decided = DECISION.exec(name)?.[1]
    const [, number, nonce] = UNDECIDED.exec(name) ?? []
    const old = decided !== undefined && Number(decided) <= newest.number - RETAINED
    const beaten = number !== undefined && Number(number) <= newest.number && nonce !== newest.nonce
    if (old || beaten) unlinkIfThere(join(versions, name))
  }
}
