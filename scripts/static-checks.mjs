// The static checks alone, for CI. Ends with `N passed, N failed`.
import { installPackages, requireNode } from './set-up.mjs'

requireNode()
installPackages()
const { countSteps, STATIC_CHECKS } = await import('./steps.mjs')
const { audit } = await import('./audit.mjs')
const [checks, audited] = [countSteps(STATIC_CHECKS), audit()]
const failed = checks.failed + audited.failed
console.log(`${checks.passed + audited.passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
