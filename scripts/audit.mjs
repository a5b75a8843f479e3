// Asks the registry for known vulnerabilities of the packages that are shipped. One of level high or critical fails; a registry
// that can't be asked is said so in clear words and fails only where an audit is required (REQUIRE_AUDIT=1).
import { spawnSync } from 'node:child_process'
import { projectFolder } from './set-up.mjs'

const FAILING = ['high', 'critical']
const TIMEOUT_MS = 60_000

/** What `npm audit --json` said: `clean`, `vulnerable` or `unknown`, and why, for people. */
export const verdictOf = text => {
  const report = parsed(text)
  const counts = report?.metadata?.vulnerabilities
  if (counts === undefined) return { kind: 'unknown', why: reasonOf(report) }
  const found = Object.values(report.vulnerabilities ?? {}).filter(({ severity }) => FAILING.includes(severity))
  const told = Object.entries(counts).filter(([level, count]) => level !== 'total' && count > 0)
  const summary = told.length === 0 ? 'none known' : told.map(([level, count]) => `${count} ${level}`).join(', ')
  if (found.length === 0 && FAILING.every(level => !counts[level])) return { kind: 'clean', why: summary }
  return {
    kind: 'vulnerable',
    why: [summary, ...found.map(({ name, severity }) => `${name} (${severity})`)].join('\n'),
  }
}

const parsed = text => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const reasonOf = report => {
  if (report === null) return 'there was no answer'
  const message = report.message ?? report.error?.summary ?? 'the answer is no report'
  // addresses may name hosts of the machine's own network, or credentials
  return String(message).replaceAll(/\S*:\/\/\S+/g, '(its address)')
}

/** Audits the installed packages and tells the outcome. Answers how many checks passed and failed. */
export const audit = () => {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: projectFolder,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: 1e8,
  })
  const { kind, why } = verdictOf(stdout ?? '')
  const required = process.env.REQUIRE_AUDIT === '1'
  if (kind === 'unknown') {
    console.log(`${required ? 'FAILED' : 'NOT DONE'}  audit of dependencies: the registry could not be asked: ${why}`)
    console.log('          Known vulnerabilities are NOT ruled out. Ask a registry that answers: npm audit --omit=dev')
    return required ? { passed: 0, failed: 1 } : { passed: 0, failed: 0 }
  }
  console.log(`${kind === 'clean' ? 'passed' : 'FAILED'}  audit of dependencies: ${why}`)
  return kind === 'clean' ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}
