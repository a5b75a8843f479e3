import { describe, expect, it } from 'vitest'
import { present } from '../../../src/base/assert.ts'
import type { GroupSpec } from '../../../src/columnar/group-table.ts'
import { encodeBatch } from '../../../src/columnar/serialize.ts'
import { typescriptKernels } from '../../../src/columnar/typescript/index.ts'
import { wasmKernels } from '../../../src/columnar/wasm/index.ts'
import { KernelMemory, reserveMemory } from '../../../src/columnar/wasm/kernel-memory.ts'
import { batchOf } from './fixtures/batches.ts'
import { fieldsOf, ROW, recordsOf } from './fixtures/json-records.ts'

const MIB = 1024 * 1024
const SCHEMA = { fields: fieldsOf({ id: 'int64', name: 'string', tags: 'list<string>?', raw: 'json?' }) }

const play = (id: number, bytes: number): string =>
  JSON.stringify({ id, name: `n${id}`, tags: ['a', null], raw: { text: 'x'.repeat(bytes) } })

describe('a batch for which the memory is too small', () => {
  it('is decoded all the same, and so are those before and after it', () => {
    const options = { ...ROW, maxRecordBytes: 16 * MIB }
    const small = wasmKernels(2 * MIB).jsonDecoder(SCHEMA, options)
    const reference = typescriptKernels.jsonDecoder(SCHEMA, options)
    for (const bytes of [10, 100_000, MIB, 1000, 3 * MIB, 10]) {
      const records = recordsOf([play(1, bytes), '{"id":1}', play(2, 20)])
      const [one, other] = [small.decode(records), reference.decode(records)]
      expect(one.bad).toEqual(other.bad)
      expect(Buffer.compare(encodeBatch(one.rows), encodeBatch(other.rows))).toBe(0)
    }
  })

  it('leaves no block behind: a thousand schemas fit where a hundred do', () => {
    const kernels = wasmKernels(8 * MIB)
    const records = recordsOf([play(1, 10)])
    const decoders = Array.from({ length: 1000 }, (_, at) =>
      kernels.jsonDecoder({ fields: fieldsOf({ [`c${at}`]: 'int64?', id: 'int64' }) }, ROW),
    )
    // twice: what was given back to others is asked for again
    for (let round = 0; round < 2; round += 1) {
      for (const decoder of decoders) expect(decoder.decode(records).rows.columns[1]?.length).toBe(1)
    }
  })
})

describe('groups for which the memory is too small', () => {
  const fields = fieldsOf({ k: 'int32', name: 'string?', at: 'timestamp', v: 'float64?', n: 'int64' })
  const spec: GroupSpec = {
    keys: ['k', 'name', 'at'],
    aggregates: [
      { fn: 'count', column: null, as: 'rows', type: 'int64' },
      { fn: 'count', column: 'v', as: 'values', type: 'int64' },
      { fn: 'sum', column: 'v', as: 'sum', type: 'float64' },
      { fn: 'sum', column: 'n', as: 'whole', type: 'int64' },
      { fn: 'avg', column: 'n', as: 'mean', type: 'float64' },
      { fn: 'max', column: 'v', as: 'most', type: 'float64' },
      { fn: 'min', column: 'n', as: 'least', type: 'int64' },
    ],
  }
  const rowsFrom = (from: number, count: number): readonly (readonly unknown[])[] =>
    Array.from({ length: count }, (_, at) => {
      const id = from + at
      const name = id % 9973 < 9 ? null : `title ${id % 9973}`
      return [id % 9973, name, (id % 3) * 10_000, id % 5 === 0 ? null : id / 3, BigInt(id)]
    })

  it('are the same as those of the twin, wherever their arrays found room', () => {
    for (const memoryBytes of [128 * 1024, MIB, 2 * MIB, 64 * MIB]) {
      const [one, other] = [wasmKernels(memoryBytes), typescriptKernels].map(kernels =>
        kernels.groupTable({ fields }, spec),
      )
      for (let from = 0; from < 40_000; from += 4000) {
        for (const table of [one, other]) table?.add(batchOf(fields, rowsFrom(from, 4000)))
      }
      expect(one?.groups).toBe(29_919)
      expect(
        Buffer.compare(encodeBatch(present(one?.all(), 'a table')), encodeBatch(present(other?.all(), 'a table'))),
      ).toBe(0)
      expect(one?.takeChanged().length).toBe(29_919)
      one?.add(batchOf(fields, rowsFrom(7, 3)))
      expect(one?.takeChanged().length).toBe(3)
    }
  })

  it('leave no block behind: a thousand tables one after the other fit where one does', () => {
    const kernels = wasmKernels(MIB)
    for (let round = 0; round < 1000; round += 1) {
      const table = kernels.groupTable({ fields }, spec)
      table.add(batchOf(fields, rowsFrom(round, 300)))
      expect(table.groups).toBe(300)
      table.dispose()
    }
    // all of the memory can be had still
    const arena = kernels.recordWorkspace(256 * 1024).arena.bytes
    expect(arena.buffer.byteLength).toBe(MIB)
  })
})

describe('memory of kernels', () => {
  it('gives out blocks that do not overlap, and none when it is full', () => {
    const memory = new KernelMemory(reserveMemory(MIB), 1000)
    const blocks: { readonly at: number; readonly bytes: number }[] = []
    for (let bytes = 1; ; bytes = (bytes * 7) % 30_011) {
      const at = memory.allocate(bytes)
      if (at === 0) break
      expect(at % 16).toBe(0)
      blocks.push({ at, bytes })
    }
    blocks.sort((a, b) => a.at - b.at)
    for (const [index, { at, bytes }] of blocks.entries()) {
      expect(at + bytes).toBeLessThan(blocks[index + 1]?.at ?? MIB)
    }
    for (const { at } of blocks) memory.free(at)
    for (const { bytes } of blocks) expect(memory.allocate(bytes)).toBeGreaterThan(0)
    expect(memory.allocate(2 ** 31)).toBe(0)
    expect(memory.allocate(2 ** 40)).toBe(0)
  })

  it('costs nothing until it is touched, and its views stay valid', () => {
    const before = process.memoryUsage.rss()
    const memory = new KernelMemory(reserveMemory(512 * MIB), 0)
    memory.bytes[memory.allocate(64 * MIB)] = 1
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB)
    expect(memory.bytes.length).toBe(512 * MIB)
  })
})
