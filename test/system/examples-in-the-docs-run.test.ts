import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { runCli, temporaryFolder } from './support/cli.ts'

const project = new URL('../../', import.meta.url).pathname
const pages = [
  'README.md',
  ...readdirSync(join(project, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]

const pipelinesOf = (page: string): readonly string[] =>
  [...readFileSync(join(project, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(match => match[1] as string)
    .filter(code => code.includes('export default pipeline'))

const examples = pages.flatMap(page => pipelinesOf(page).map((code, at) => ({ page, at, code })))

/** Stands for the store that somebody has written. */
const STORE_MODULE = `import { openLocalObjectStore } from '${project}src/storage/local/local-object-store.ts'
export const openObjectStore = (root: string) => openLocalObjectStore({ root, durability: 'process' })
`

describe('examples in the docs', () => {
  it('there are some', () => expect(examples.length).toBeGreaterThanOrEqual(3))

  it.each(examples)('$page, pipeline $at has a plan', async ({ code }) => {
    const file = join(temporaryFolder(), 'example.ts')
    writeFileSync(file, code)
    const { code: exit, stdout, stderr } = await runCli(['plan', file, '--json'])
    expect(stderr).toBe('')
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'pipeline' })
  })

  it.each(examples.filter(({ code }) => code.includes('datagen(')))(
    '$page, pipeline $at runs, with nothing but Redis where it has a view',
    async ({ code }) => {
      const root = temporaryFolder()
      const file = join(root, 'example.ts')
      const redis = code.includes('redisView(') ? { MILLRACE_REDIS_URL: inject('redisUrl') } : {}
      writeFileSync(file, code)
      const { code: exit, stderr } = await runCli(['run', file, '--root', root, '--batches', '2'], redis)
      expect(stderr).toBe('')
      expect(exit).toBe(0)
    },
  )

  it('docs/testing.md: the tests pass, beside the pipeline of the README and a store', () => {
    const folder = temporaryFolder()
    const modules = join(folder, 'node_modules')
    mkdirSync(modules)
    symlinkSync(project, join(modules, 'millrace'))
    symlinkSync(join(project, 'node_modules', 'vitest'), join(modules, 'vitest'))
    const page = readFileSync(join(project, 'docs/testing.md'), 'utf8')
    const tests = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
    expect(tests).toHaveLength(2)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'pipeline.ts'), pipelinesOf('README.md')[0] ?? '')
    writeFileSync(join(folder, 'my-store.ts'), STORE_MODULE)
    for (const [at, test] of tests.entries()) writeFileSync(join(folder, `example-${at}.test.ts`), test)
    const vitest = join(project, 'node_modules', 'vitest', 'vitest.mjs')
    const ran = spawnSync(process.execPath, [vitest, 'run', '--root', folder], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    })
    expect(ran.stdout + ran.stderr).toMatch(/Test Files\s+2 passed/)
    expect(ran.status).toBe(0)
  })

  it('the files in examples/ have plans', async () => {
    for (const name of readdirSync(join(project, 'examples'))) {
      const { code, stderr } = await runCli(['plan', join(project, 'examples', name)])
      expect(stderr).toBe('')
      expect(code).toBe(0)
    }
  })
})
