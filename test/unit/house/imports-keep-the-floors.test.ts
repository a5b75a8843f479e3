import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type SourceFile, sourceFiles } from './sources.ts'

/** From the ground up: a room imports its own floor's rooms never, lower floors freely. */
const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['columnar'],
  ['pipeline', 'storage', 'kafka'],
  ['ingest'],
  ['backpressure', 'checkpoint', 'sinks'],
  ['executor'],
  ['microbatch', 'batch'],
  ['observe', 'sim'],
  ['wiring'],
  ['service'],
  ['cli'],
]

/** Folders behind ports, and the packages that each may import. */
const TECHNOLOGY: Readonly<Record<string, readonly string[]>> = {
  'columnar/wasm': ['node:'],
  kafka: ['node:', '@node-rs/crc32'],
  'ingest/kafka': ['node:', '@node-rs/crc32', 'snappy', 'fzstd'],
  'ingest/datagen': [],
  'ingest/objects': ['parquet-wasm', 'flatbuffers', 'hyparquet'],
  'storage/local': ['node:', '@node-rs/crc32'],
  'storage/memory': [],
  'storage/s3': ['node:', '@aws-sdk/client-s3', '@node-rs/crc32'],
  'storage/redis': ['node:', 'ioredis'],
  'sinks/parquet': [],
  'sinks/console': [],
  'sinks/redis': [],
  'checkpoint/redis': [],
  'sinks/kafka': ['node:', 'kafkajs'],
  'executor/threads': ['node:'],
  'observe/prometheus': ['prom-client'],
  'sim/conformance': ['node:'],
}

/** Folders behind ports that speak through a technology with a room of its own. */
const BUILT_ON: Readonly<Record<string, string>> = { 'ingest/kafka': 'kafka', 'sinks/kafka': 'kafka' }

/** Edges, and what they may import beside our own code. */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  wiring: ['node:', 'esbuild', 'zod', 'rxjs'],
  cli: ['node:', 'commander'],
  service: ['node:', 'rxjs'],
}

/** Public doors: they only pass on. */
const DOORS = ['index.ts', 'testing.ts']

const roomOf = (path: string): string => path.split('/')[0] ?? ''
const technologyOf = (path: string): string | null =>
  Object.keys(TECHNOLOGY).find(folder => path.startsWith(`${folder}/`)) ?? null
const floorOf = (room: string): number => FLOORS.findIndex(rooms => rooms.includes(room))

const importsOf = ({ text }: SourceFile): readonly string[] =>
  [...text.matchAll(/^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'/gm)].map(match => match[1] as string)

/** What a file imports against the rules. */
const offences = (file: SourceFile): readonly string[] =>
  importsOf(file).flatMap(imported => {
    const { path } = file
    if (DOORS.includes(path)) return []
    const technology = technologyOf(path)
    const room = roomOf(path)
    if (!imported.startsWith('.')) {
      const allowed = EDGES[room] ?? (technology === null ? ['rxjs'] : (TECHNOLOGY[technology] ?? []))
      const fits = allowed.some(
        name => imported === name || imported.startsWith(name.endsWith(':') ? name : `${name}/`),
      )
      return fits ? [] : [`${path} imports the package ${imported}`]
    }
    const target = posix.join(posix.dirname(path), imported)
    const targetRoom = roomOf(target)
    const targetTechnology = technologyOf(target)
    const ownTechnology = technology !== null && [technology, BUILT_ON[technology]].includes(targetTechnology ?? '')
    if (targetTechnology !== null && !ownTechnology && room !== 'wiring') {
      return [`${path} imports from behind a port: ${target}`]
    }
    if (targetRoom === room) return []
    return floorOf(targetRoom) < floorOf(room) ? [] : [`${path} imports ${target}, which is not below it`]
  })

/** Imports that are there at run time: types may know each other. */
const runtimeImportsOf = ({ path, text }: SourceFile): readonly string[] =>
  importsOf({ path, text: text.replaceAll(/^(import|export) type [^;]*?'[^']+'/gm, '') })

const cycles = (files: readonly SourceFile[]): readonly string[] => {
  const graph = new Map(
    files.map(file => [
      file.path,
      runtimeImportsOf(file)
        .filter(each => each.startsWith('.'))
        .map(each => posix.join(posix.dirname(file.path), each)),
    ]),
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (done.has(path) || trail.includes(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

describe('imports keep the floors', () => {
  it('every room stands on a floor', () => {
    const rooms = new Set(sourceFiles().map(({ path }) => roomOf(path)))
    for (const door of DOORS) rooms.delete(door)
    expect([...rooms].filter(room => floorOf(room) < 0)).toEqual([])
  })

  it('no file imports upwards, sideways, from behind a port, or a package that is not its own', () => {
    expect(sourceFiles().flatMap(offences)).toEqual([])
  })

  it('no cycles', () => {
    expect(cycles(sourceFiles())).toEqual([])
  })

  it.each([
    ['base/x.ts', "import { a } from '../columnar/schema.ts'", 'not below'],
    ['microbatch/x.ts', "import { a } from '../ingest/kafka/reader.ts'", 'behind a port'],
    ['sinks/x.ts', "import { a } from '../kafka/requests.ts'", 'behind a port'],
    ['checkpoint/x.ts', "import { readFile } from 'node:fs/promises'", 'the package node:fs/promises'],
    ['ingest/kafka/x.ts', "import {\n  a,\n} from 'kafkajs'", 'the package kafkajs'],
    ['sinks/x.ts', "export { a } from '../checkpoint/entries.ts'", 'not below'],
  ])('sees what %s would do wrong', (path, text, offence) => {
    expect(offences({ path, text }).join()).toContain(offence)
  })
})
