import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLocalObjectStore } from '../../../src/storage/local/local-object-store.ts'

const KEY = 'pointers/now'
let folder = ''
let program = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-replace-'))
  program = join(folder, 'append-steps.mjs')
  const entry = new URL('fixtures/append-steps.ts', import.meta.url).pathname
  const addon = new URL('../../../node_modules/@node-rs/crc32/index.js', import.meta.url).pathname
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '@node-rs/crc32': addon },
    external: [addon],
    logLevel: 'error',
  })
})
afterAll(() => rm(folder, { recursive: true }))

const STEPS_PER_WRITER = 10

/** Runs a writer for a while and kills it; answers what it has begun and what was acknowledged. */
const writerUntilKilled = async (root: string, name: string, lifeMs: number) => {
  const child = spawn(process.execPath, [program, root, KEY, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  await sleep(lifeMs)
  child.kill('SIGKILL')
  await closed
  const lines = printed.split('\n').slice(0, -1)
  const stepsThat = (what: string) => lines.filter(line => line.startsWith(what)).map(line => line.slice(what.length))
  return { begun: stepsThat('begun '), done: stepsThat('done ') }
}

describe('processes that replace an object and are killed', () => {
  it('lose no acknowledged step, double none, and leave the object whole for the next', async () => {
    const root = await mkdtemp(join(folder, 'store-'))
    const lives = await Promise.all(
      [0, 1, 2].map(async writer => {
        const runs: Awaited<ReturnType<typeof writerUntilKilled>>[] = []
        // on a busy machine a short life gets little done
        const isEnough = () => runs.length >= 5 && runs.flatMap(({ done }) => done).length > STEPS_PER_WRITER
        for (let life = 0; !isEnough(); life += 1) {
          runs.push(await writerUntilKilled(root, `${writer}-${life}`, 40 + ((writer * 37 + life * 53) % 120)))
        }
        return runs
      }),
    )
    const runs = lives.flat()
    const store = await openLocalObjectStore({ root, durability: 'process' })
    const end = await store.getVersioned(KEY)
    const steps = new TextDecoder().decode(end?.bytes).split('\n').slice(0, -1)
    expect(new Set(steps).size).toBe(steps.length)
    expect(runs.flatMap(({ done }) => done).filter(step => !steps.includes(step))).toEqual([])
    const begun = new Set(runs.flatMap(each => each.begun))
    expect(steps.filter(step => !begun.has(step))).toEqual([])
    expect(steps.length).toBeGreaterThan(3 * STEPS_PER_WRITER)
    expect(new Set(steps.map(step => step.split('-')[0])).size).toBe(3)

    // what the dead left is cleared up by the next replacement; a hundred decisions stay
    const next = await store.replace(KEY, end?.bytes ?? new Uint8Array(), end?.version ?? null)
    expect(next).not.toBe('conflict')
    const left = await readdir(join(root, '.millrace-staging/.versions', KEY))
    expect(left.filter(name => name.endsWith('.new') || name.endsWith('.decision'))).toEqual([])
    expect(left.length).toBeLessThanOrEqual(100)
  })
})
