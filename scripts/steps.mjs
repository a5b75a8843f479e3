// Steps of `npm run check`, `npm test` and the static checks of CI: each is a command that passes or fails.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from './set-up.mjs'

const tool = (...parts) => [process.execPath, join(projectFolder, 'node_modules', ...parts)]

export const STATIC_CHECKS = [
  { name: 'types', command: [...tool('typescript', 'bin', 'tsc'), '-p', '.'] },
  { name: 'format', command: [...tool('@biomejs', 'biome', 'bin', 'biome'), 'check', '.'] },
  {
    name: 'lint',
    command: [
      ...tool('oxlint', 'bin', 'oxlint'),
      '--type-aware',
      'src',
      'scripts',
      'test',
      'bench',
      'soak',
      'examples',
    ],
  },
  { name: 'unused code', command: [...tool('knip', 'bin', 'knip.js')] },
]

/** The unit tests as one step. */
export const unitTests = () => ({ name: 'unit tests', command: vitest('unit') })

const vitest = project => [...tool('vitest', 'vitest.mjs'), 'run', '--project', project]

/** Runs steps one after the other and shows the output of those that fail; answers the exit code. */
export const runSteps = steps => {
  const { failed } = countSteps(steps)
  return failed === 0 ? 0 : 1
}

/** As `runSteps`; answers how many passed and failed. */
export const countSteps = steps => {
  let failed = 0
  for (const { name, command } of steps) {
    const startedAt = performance.now()
    const [program, ...args] = command
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: projectFolder,
      encoding: 'utf8',
      maxBuffer: 1e9,
    })
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${status === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`)
    if (status === 0) continue
    failed += 1
    console.log(stdout + stderr)
  }
  return { passed: steps.length - failed, failed }
}

/** Runs the tests of a vitest project with their output on the screen; answers how many passed and failed. */
export const countTests = project => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
  const report = join(folder, 'report.json')
  const [program, ...args] = vitest(project)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { status } = spawnSync(program, [...args, ...reporters], { cwd: projectFolder, stdio: 'inherit' })
  const { numPassedTests, numFailedTests, numFailedTestSuites } = readReport(report)
  rmSync(folder, { recursive: true })
  // a file that can't be loaded holds no test that could fail, and a run without any test is no success
  const broken = numFailedTests === 0 && (status !== 0 || numPassedTests === 0) ? Math.max(1, numFailedTestSuites) : 0
  return { passed: numPassedTests, failed: numFailedTests + broken }
}

const readReport = file => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 1 }
  }
}
