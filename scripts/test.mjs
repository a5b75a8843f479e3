// npm test: all tests: unit, simulation and system; what they need is set up first. Ends with `N passed, N failed`.
import { build, installPackages, requireNode } from './set-up.mjs'

requireNode()
installPackages()
build()
const { countTests } = await import('./steps.mjs')
const counts = ['unit', 'simulation', 'system'].map(countTests)
const sum = name => counts.reduce((total, each) => total + each[name], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
process.exitCode = sum('failed') === 0 ? 0 : 1
