import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { count, datagen, json, parquet, pipeline, redisView, schema } from 'millrace'
import { afterEach, describe, expect, it } from 'vitest'
import type { ViewLayers } from '../../../src/batch/merged-view/view-layers.ts'
import { columnBuilder } from '../../../src/columnar/column-builder.ts'
import { tableSchema } from '../../../src/columnar/schema.ts'
import { listen } from '../../../src/service/http-server.ts'
import { viewRoutes } from '../../../src/service/view-routes.ts'
import { type Partitioner, partitioner } from '../../../src/sinks/partition-by.ts'
import { openLocalObjectStore } from '../../../src/storage/local/local-object-store.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { ALL_KERNELS } from '../../support/wasm-kernels.ts'

const HOSTILE = [
  '..',
  '../..',
  '../../etc/passwd',
  '/etc/passwd',
  '%2e%2e',
  '%2e%2e%2fx',
  'a/../../b',
  'a\\..\\b',
  'x\u0000y',
]
const HOSTILE_NAMES = [...HOSTILE, '', '.', '-x', 'a//b', 'a/', 'a b', '__proto__/x', 'ä', 'x'.repeat(201)]

/** A folder with the root of a store in it, gone after the test. */
const folders: string[] = []
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'millrace-root-'))
  folders.push(made)
  return made
}
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true })
})

const SCHEMA = tableSchema([
  { name: 'key', type: 'string', nullable: true },
  { name: 'n', type: 'int32', nullable: true },
])

/** The folder of a row with this key. */
const partitionOf = (split: Partitioner, key: string): string => {
  const columns = SCHEMA.fields.map((field, at) => {
    const builder = columnBuilder(field)
    builder.append(at === 0 ? key : 1)
    return builder.finish()
  })
  try {
    const [slice] = split.split({ schema: SCHEMA, columns, length: 1, selection: null, origin: null })
    return slice?.partition ?? ''
  } catch (error) {
    expect(error).toMatchObject({ code: 'STAGE_FAILED', message: expect.stringContaining('too long') })
    return 'refused'
  }
}

describe.each(ALL_KERNELS)('values that rows bring (%s)', (_, kernels) => {
  it('name folders below their table, or are refused as too long', async () => {
    const around = folder()
    const store = await openLocalObjectStore({ root: join(around, 'root'), durability: 'process' })
    const split = partitioner(SCHEMA, { kind: 'columns', columns: ['key'] }, kernels())
    const piece = fc.oneof(
      fc.constantFrom('..', '/', '\\', '%', '%2e', '\u0000', '.', '='),
      fc.string({ unit: 'binary' }),
    )
    const value = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.array(piece, { maxLength: 80 }).map(parts => parts.join('')),
    )
    let files = 0
    await fc.assert(
      fc.asyncProperty(value, async text => {
        const partition = partitionOf(split, text)
        if (partition === 'refused') return
        expect(partition).toMatch(/^key=[^/]*$/)
        files += 1
        await store.createOnly(`table/${partition}/part-${files}`, new Uint8Array(1))
      }),
    )
    expect(readdirSync(around)).toEqual(['root'])
    const found = readdirSync(join(around, 'root', 'table'), { recursive: true, encoding: 'utf8' })
    expect(found.filter(path => /^key=[^/]*\/part-\d+$/.test(path))).toHaveLength(files)
  })
})

describe('names in a pipeline', () => {
  it.each(HOSTILE_NAMES)('are not %j', name => {
    for (const make of [
      () => pipeline(name),
      () => parquet(name),
      () => redisView(name),
      () => parquet('rows', { store: `${name}/` }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: 'INVALID_PIPELINE' }))
    }
  })
})

const VIEWED = pipeline('p')
  .from(datagen({ rowsPerSecond: 1 }), json(schema({ country: 'string' })))
  .groupBy('country')
  .aggregate({ plays: count() })
  .to(redisView('plays'))

/** Nothing is asked of any layer. */
const untouched = new Proxy({} as ViewLayers, {
  get: (_, name) => {
    throw new Error(`${String(name)} was asked`)
  },
})

/** Status of the answer to a request whose path goes out as it is. */
const statusOf = async (path: string): Promise<number> => {
  const routes = viewRoutes(VIEWED, untouched, new VirtualClock())
  const onError = (error: unknown): void => expect.unreachable(String(error))
  const server = await listen({ address: { host: '127.0.0.1', port: 0 }, token: null, routes, onError })
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
  const [answer] = await once(socket.setEncoding('latin1'), 'data')
  socket.destroy()
  await server.close()
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
}

describe('paths that are asked for', () => {
  it.each(HOSTILE.flatMap(path => [`/${path}`, `/views/${path}`, `/views/plays/${path}`, `/views/plays${path}`]))(
    'are answered by nothing: %j',
    async path => {
      const status = await statusOf(path)
      expect([400, 404]).toContain(status)
    },
  )

  it('are as long as a header may be, and no longer', async () => {
    expect(await statusOf(`/views/${'x'.repeat(4_000)}`)).toBe(404)
    expect(await statusOf(`/views/${'x'.repeat(100_000)}`)).toBe(431)
  })
})
