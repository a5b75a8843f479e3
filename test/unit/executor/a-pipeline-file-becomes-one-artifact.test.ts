import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bundlePipeline } from '../../../src/wiring/bundle/bundle-pipeline.ts'
import { loadPipeline } from '../../../src/wiring/bundle/load-pipeline.ts'

/** Stands in for the running Millrace: counts how often it is loaded. */
const MILLRACE = `
  globalThis.millraceLoads = (globalThis.millraceLoads ?? 0) + 1
  export const pipeline = name => ({ kind: 'pipeline', name, branches: [] })
  export const invalid = () => {
    throw Object.assign(new Error('bad pipeline'), { name: 'MillraceError', code: 'INVALID_PIPELINE' })
  }
`

let folder = ''
let millraceUrl = pathToFileURL('/')
const bundle = (file: string) => bundlePipeline(join(folder, file), { outDir: join(folder, 'cache'), millraceUrl })
const write = (file: string, text: string) => writeFile(join(folder, file), text)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-bundle-'))
  await write('millrace.mjs', MILLRACE)
  millraceUrl = pathToFileURL(join(folder, 'millrace.mjs'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a pipeline file becomes one artifact', () => {
  test('TypeScript, own modules, packages and CommonJS are taken in; millrace is the running one', async () => {
    await mkdir(join(folder, 'node_modules', 'tide'), { recursive: true })
    await write('node_modules/tide/package.json', '{"name":"tide","main":"index.js"}')
    await write('node_modules/tide/index.js', `module.exports = { flood: require('node:path').basename('/a/flood') }`)
    await write('names.ts', `export const name: string = 'of-a-module'`)
    await write(
      'p.ts',
      `import { createRequire } from 'node:module'
       import { pipeline } from 'millrace'
       import tide from 'tide'
       import { name } from './names.ts'
       const require = createRequire(import.meta.url)
       export default pipeline(name + '-' + tide.flood + '-' + typeof require('node:fs').statSync + '-' + import.meta.url)`,
    )
    const artifact = await bundle('p.ts')
    await rm(join(folder, 'names.ts'))
    const plan = await loadPipeline(artifact)
    expect(plan.name).toBe(`of-a-module-flood-function-${pathToFileURL(join(folder, 'p.ts')).href}`)
  })

  test('the same content is written once, another content has another name', async () => {
    await write('p.mjs', `import { pipeline } from 'millrace'; export default pipeline('a')`)
    const first = await bundle('p.mjs')
    expect((await bundle('p.mjs')).href).toBe(first.href)
    await write('p.mjs', `import { pipeline } from 'millrace'; export default pipeline('b')`)
    expect((await bundle('p.mjs')).href).not.toBe(first.href)
    const artifacts = (await readdir(join(folder, 'cache'))).filter(name => name.endsWith('.mjs'))
    expect(artifacts).toHaveLength(2)
  })

  test('what no file changed of is not bundled again, and every change counts', async () => {
    const before = new Date(Date.now() - 60_000)
    const writeOld = async (file: string, text: string): Promise<void> => {
      await write(file, text)
      await utimes(join(folder, file), before, before)
    }
    await writeOld('names.ts', `export const name = 'a'`)
    await writeOld(
      'p.ts',
      `import { pipeline } from 'millrace'; import { name } from './names.ts'; export default pipeline(name)`,
    )
    const first = await bundle('p.ts')
    // an artifact that bundling again would put right
    await writeFile(first, 'export default { kept: true }')
    expect((await bundle('p.ts')).href).toBe(first.href)
    expect(await readFile(first, 'utf8')).toContain('kept')
    await writeOld('names.ts', `export const name = 'b'`)
    expect((await loadPipeline(await bundle('p.ts'))).name).toBe('b')
    await writeOld('names.ts', `export const name = 'a'`)
    await rm(first)
    expect((await loadPipeline(await bundle('p.ts'))).name).toBe('a')
    await writeOld('tsconfig.json', '{ "compilerOptions": { "paths": { "millrace": ["./other.ts"] } } }')
    await rm(join(folder, 'names.ts'))
    await expect(bundle('p.ts')).rejects.toThrow(/names\.ts/)
  })

  test('a file that changed while it was bundled is bundled again', async () => {
    await write('p.mjs', `import { pipeline } from 'millrace'; export default pipeline('a')`)
    const ahead = new Date(Date.now() + 60_000)
    await utimes(join(folder, 'p.mjs'), ahead, ahead)
    const first = await bundle('p.mjs')
    await rm(first)
    expect((await loadPipeline(await bundle('p.mjs'))).name).toBe('a')
    expect(await readdir(join(folder, 'cache'))).toHaveLength(1)
  })

  test('stack traces of lambdas name the line of the pipeline file', async () => {
    await write(
      'p.ts',
      `import { pipeline } from 'millrace'
interface Row { readonly a: number }
const fail = (row: Row): never => {
  throw new Error('row ' + row.a)
}
export default { ...pipeline('a'), fail }`,
    )
    const plan = (await loadPipeline(await bundle('p.ts'))) as unknown as { readonly fail: (row: object) => never }
    const stack = (() => {
      try {
        return plan.fail({ a: 1 })
      } catch (error) {
        return (error as Error).stack
      }
    })()
    expect(stack).toContain('p.ts:4')
  })
})

const refusal = async (file: string) => {
  const error = await bundle(file)
    .then(loadPipeline)
    .catch((thrown: unknown) => thrown)
  return error as { readonly code: string; readonly message: string }
}

describe('a pipeline file that is of no use is refused with its place', () => {
  test('a file that is not there', async () => {
    expect(await refusal('none.ts')).toMatchObject({
      code: 'PIPELINE_NOT_LOADABLE',
      message: expect.stringMatching(/none\.ts/),
    })
  })

  test.each([
    ['a syntax error', 'const a = 1\nexport default {{', /p\.ts:2:\d+/],
    [
      'an import that is not installed',
      `import x from 'no-such-package'\nexport default x`,
      /p\.ts:1:\d+.*no-such-package/,
    ],
    ['no default export', 'export const a = 1', /no default export/],
    ['a default export that is no pipeline', 'export default { a: 1 }', /not a pipeline/],
    ['a default export that is a Promise', 'export default Promise.resolve(1)', /Promise/],
    ['code that throws', `const a = null\nexport default a.b`, /Cannot read properties of null.*p\.ts:2/],
  ])('%s', async (_, text, message) => {
    await write('p.ts', text)
    expect(await refusal('p.ts')).toMatchObject({
      code: 'PIPELINE_NOT_LOADABLE',
      message: expect.stringMatching(message),
    })
  })

  test("Millrace's own errors pass through", async () => {
    await write('p.ts', `import { invalid } from 'millrace'; export default invalid()`)
    expect(await refusal('p.ts')).toMatchObject({ code: 'INVALID_PIPELINE' })
  })
})
