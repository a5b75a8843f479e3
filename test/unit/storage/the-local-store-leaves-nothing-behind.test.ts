import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Durability, openLocalObjectStore } from '../../../src/storage/local/local-object-store.ts'
import type { StagedObject } from '../../../src/storage/object-store.ts'

const bytes = new TextEncoder().encode('rows')
let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-store-'))
})
afterEach(() => rm(root, { recursive: true }))

const open = (durability: Durability = 'process') => openLocalObjectStore({ root, durability })
const files = async (folder = root): Promise<readonly string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
}
const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('the local store leaves nothing behind', () => {
  it.each(['process', 'disk'] as const)('but the objects themselves, durability %s', async durability => {
    const store = await open(durability)
    await store.createOnly('a/entry', bytes)
    await store.createOnly('a/entry', bytes)
    await store.publish(await store.stage('t/part-1', bytes))
    const twice = await store.stage('t/part-2', bytes)
    await store.publish(twice)
    await store.publish(twice)
    await store.discard(await store.stage('t/part-3', bytes))
    expect(await files()).toEqual(['a/entry', 't/part-1', 't/part-2'])
  })

  it('also when a create fails', async () => {
    const store = await open()
    await writeFile(join(root, 'file'), 'x')
    await expect(store.createOnly('file/entry', bytes)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await files()).toEqual(['file'])
  })

  it('of a crash: halves of entries are dropped when they are a day old, younger ones may have a writer', async () => {
    await open()
    const unfinished = join(root, '.millrace-staging/.unfinished')
    await writeFile(join(unfinished, 'old'), 'half an ent')
    await writeFile(join(unfinished, 'young'), 'half an ent')
    const dayAgo = new Date(Date.now() - 25 * 3_600_000)
    await utimes(join(unfinished, 'old'), dayAgo, dayAgo)
    const store = await open()
    expect(await readdir(unfinished)).toEqual(['young'])
    expect(await collect(store.list(''))).toEqual([])
    expect(await collect(store.listStaged(''))).toEqual([])
  })
})

describe('uploads of a crashed process', () => {
  it('lie where no reader of the table looks, and keep what publishing needs in their names', async () => {
    const staged = await (await open()).stage('t/date=2026-01-01/part-1.parquet', bytes)
    const [file] = await files()
    expect(file).toMatch(
      /^\.millrace-staging\/t\/date=2026-01-01\/part-1\.parquet\.4\.[0-9a-f]{8}\.[0-9a-f]{16}\.part$/,
    )
    const found = await collect((await open()).listStaged('t/'))
    expect(found).toEqual([staged])
    await (await open()).publish(found[0] as StagedObject)
    expect(await files()).toEqual(['t/date=2026-01-01/part-1.parquet'])
  })

  it('are published where the crash came between the link and the end of the upload', async () => {
    const store = await open()
    const staged = await store.stage('t/part-1', bytes)
    const upload = join(root, '.millrace-staging', staged.upload)
    const kept = await readFile(upload)
    await store.publish(staged)
    await writeFile(upload, kept)
    await (await open()).publish(staged)
    expect(await files()).toEqual(['t/part-1'])
  })

  it('are not taken from files of others in the staging folder', async () => {
    const store = await open()
    await mkdir(join(root, '.millrace-staging/t'), { recursive: true })
    for (const name of ['notes.txt', 'x.part', 'x.4.zzzzzzzz.0123456789abcdef.part']) {
      await writeFile(join(root, '.millrace-staging/t', name), 'x')
    }
    expect(await collect(store.listStaged(''))).toEqual([])
  })

  it('that lost their end with the power are lost, not published by half', async () => {
    const store = await open()
    const staged = await store.stage('t/part-1', bytes)
    await truncate(join(root, '.millrace-staging', staged.upload), 2)
    await expect(store.publish(staged)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
    expect(await store.get('t/part-1')).toBeNull()
  })

  it('are named by commits only within the staging folder', async () => {
    const store = await open()
    await writeFile(join(root, 'secret'), 'rows')
    const staged = await store.stage('t/part-1', bytes)
    for (const upload of [
      '../secret',
      '/etc/hostname',
      `../${staged.upload}`,
      staged.upload.replace('part-1', 'part-2'),
    ]) {
      const forged = { ...staged, upload }
      await expect(store.publish(forged)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
      await expect(store.discard(forged)).rejects.toMatchObject({ code: 'STAGED_OBJECT_LOST' })
    }
    expect(await readFile(join(root, 'secret'), 'utf8')).toBe('rows')
  })
})

describe('the local store keeps within its root', () => {
  it('refuses to write through a link that leads out of it', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'millrace-outside-'))
    try {
      await symlink(outside, join(root, 't'))
      const store = await open()
      await expect(store.createOnly('t/entry', bytes)).rejects.toMatchObject({ code: 'STORE_UNSAFE_KEY' })
      const staged = await store.stage('t/part-1', bytes)
      await expect(store.publish(staged)).rejects.toMatchObject({ code: 'STORE_UNSAFE_KEY' })
      expect(await readdir(outside)).toEqual([])
      expect(await collect(store.list(''))).toEqual([])
    } finally {
      await rm(outside, { recursive: true })
    }
  })

  it('may itself be reached by a link', async () => {
    await mkdir(join(root, 'real'))
    await symlink(join(root, 'real'), join(root, 'link'))
    const store = await openLocalObjectStore({ root: join(root, 'link'), durability: 'process' })
    await store.publish(await store.stage('t/part-1', bytes))
    expect(await files(join(root, 'real'))).toEqual(['t/part-1'])
  })

  it('makes folders again that somebody removed meanwhile', async () => {
    const store = await open()
    await store.createOnly('t/a', bytes)
    await rm(join(root, 't'), { recursive: true })
    expect(await store.createOnly('t/a', bytes)).toBe('created')
  })

  it('says what to do where a file lies in the way of its root', async () => {
    await writeFile(join(root, 'file'), 'x')
    const opening = openLocalObjectStore({ root: join(root, 'file/below'), durability: 'process' })
    await expect(opening).rejects.toMatchObject({
      code: 'STORE_FAILED',
      remedy: 'A file lies where a folder is needed; move it away or choose another folder with --root.',
    })
  })
})
