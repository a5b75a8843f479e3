// npm run check: types, format, lint, unused code and unit tests: the everyday loop.
import { installPackages, requireNode } from './set-up.mjs'
import { runSteps, STATIC_CHECKS, unitTests } from './steps.mjs'

requireNode()
installPackages()
process.exitCode = runSteps([...STATIC_CHECKS, unitTests()])
