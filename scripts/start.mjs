// npm start: set up what is missing, then run the demo. Its arguments are the demo's own: npm start -- --batches 5
import { spawn } from 'node:child_process'
import { build, installPackages, projectFolder, requireNode } from './set-up.mjs'

requireNode()
installPackages()
build()
const demo = spawn(process.execPath, ['dist/cli/main.js', 'demo', ...process.argv.slice(2)], {
  cwd: projectFolder,
  stdio: 'inherit',
})
// a terminal sends Ctrl-C to both; the demo ends in its own time and its exit code is ours
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => demo.kill('SIGTERM'))
demo.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)))
