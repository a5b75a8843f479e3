// What a fresh clone needs before anything runs: packages and the compiled code. Does nothing when both are there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)))
const LEAST_NODE = [20, 19]

/** Runs a command of the project; ends this process with its exit code if it fails. */
export const run = (command, args, options = {}) => {
  const { status, error } = spawnSync(command, args, { cwd: projectFolder, stdio: 'inherit', ...options })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

export const requireNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return
  console.error(`Millrace needs Node ${LEAST_NODE.join('.')} or newer; this is ${process.versions.node}.`)
  process.exit(2)
}

/** Installs the locked packages where they are missing or older than the lock file. */
export const installPackages = () => {
  const marker = join(projectFolder, 'node_modules', '.package-lock.json')
  const lock = join(projectFolder, 'package-lock.json')
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return
  console.log('Installing packages (npm ci) …')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Compiles and bundles src/ to dist/ where dist/ was made from other sources. */
export const build = () => {
  const stamp = join(projectFolder, 'dist', '.sources')
  const sources = hashOfSources()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  rmSync(join(projectFolder, 'dist'), { recursive: true, force: true })
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
  buildKernels()
  run(process.execPath, [join('scripts', 'bundle.mjs')])
  chmodSync(join(projectFolder, 'dist', 'cli', 'main.js'), 0o755)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, sources)
}

const KERNELS = ['src', 'columnar', 'wasm', 'assembly']
const INLINE_KERNELS = join('scripts', 'inline-kernels.mjs')

/** Compiles the kernels to dist/ where they were made from other sources; tests that run from sources use them too. */
export const buildKernels = () => {
  const module = join(projectFolder, 'dist', 'columnar', 'wasm', 'kernels.wasm')
  const stamp = `${module}.sources`
  const sources = hashOf([...filesBelow(...KERNELS), join(projectFolder, INLINE_KERNELS)])
  if (existsSync(module) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  mkdirSync(dirname(module), { recursive: true })
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd']
  options.push('--transform', `./${INLINE_KERNELS}`)
  const compiler = join('node_modules', 'assemblyscript', 'bin', 'asc.js')
  // under another name first: tests in other processes may be about to load it
  const unfinished = `${module}.${process.pid}`
  run(process.execPath, [compiler, join(...KERNELS, 'index.ts'), '--outFile', unfinished, ...options])
  renameSync(unfinished, module)
  writeFileSync(stamp, sources)
}

const hashOfSources = () =>
  hashOf([
    ...filesBelow('src'),
    join(projectFolder, 'tsconfig.json'),
    join(projectFolder, 'tsconfig.build.json'),
    join(projectFolder, 'scripts', 'bundle.mjs'),
    join(projectFolder, INLINE_KERNELS),
  ])

const filesBelow = (...folder) =>
  readdirSync(join(projectFolder, ...folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()

const hashOf = files => {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}
