// The static checks alone, for CI. Ends with `N passed, N failed`.
import { installPackages, requireNode } from './set-up.mjs'

requireNode()
installPackages()
const { countSteps, STATIC_CHECKS } = await import('./steps.mjs')
const { passed, failed } = countSteps(STATIC_CHECKS)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
