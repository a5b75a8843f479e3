import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from './support/cli.ts'

const project = new URL('../../', import.meta.url).pathname

it('npm pack, installed into an empty folder, runs a pipeline file, is imported, and brings its types', () => {
  const folder = temporaryFolder()
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: project, stdio: 'pipe' })
  const [tarball] = readdirSync(folder)
  const publint = join(project, 'node_modules', 'publint', 'src', 'cli.js')
  execFileSync(process.execPath, [publint, 'run', join(folder, tarball ?? ''), '--strict'], { stdio: 'pipe' })
  const inFolder = { cwd: folder, encoding: 'utf8', stdio: 'pipe' } as const
  writeFileSync(join(folder, 'package.json'), '{ "name": "elsewhere", "private": true, "type": "module" }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], inFolder)
  const code = `
    import { datagen, json, land, parquet, pipeline, schema } from 'millrace'
    const Play = schema({ content_id: 'int32', event_time: 'timestamp' })
    export default pipeline('elsewhere').from(datagen({ rowsPerSecond: 2000 }), json(Play)).to(parquet('plays'))
  `.replace(' land,', '')
  writeFileSync(join(folder, 'pipeline.ts'), code)
  const bin = join(folder, 'node_modules', '.bin', 'millrace')
  execFileSync(bin, ['run', 'pipeline.ts', '--root', 'data', '--batches', '2'], inFolder)
  const files = readdirSync(join(folder, 'data', 'plays'), { recursive: true, encoding: 'utf8' })
  expect(files.filter(name => name.endsWith('.parquet')).length).toBeGreaterThan(0)
  const program = "import { EXIT, start } from 'millrace'; console.log(typeof start, EXIT.fenced)"
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], inFolder)).toBe('function 3\n')
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', 'pipeline.ts']
  const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  expect(execFileSync(process.execPath, [tsc, ...strict], inFolder)).toBe('')
})
