// Writes docs/configuration.md from the configuration's own schema, and the table of docs/monitoring.md from the metrics'
// definitions: node scripts/docs.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, projectFolder } from './set-up.mjs'

/** @param {readonly { name: string, variable: string, fallback: string, about: string }[]} settings */
export const configurationPage = settings => `# Configuration

Every value has a default; a file (\`--config file.json\`, the same names, nested or dotted) wins over the default, the
environment over the file, and the command line (\`--set name=value\`) over all. An unknown name is refused with the
nearest one. \`millrace config\` prints what holds. This page is written by \`node scripts/docs.mjs\`.

| name | variable | default | what it is |
| --- | --- | --- | --- |
${settings.map(({ name, variable, fallback, about }) => `| \`${name}\` | \`${variable}\` | \`${fallback}\` | ${about.replaceAll('|', '\\|')} |`).join('\n')}
`

const METRICS = /(<!-- metrics: [^\n]*-->\n)[^]*?(<!-- end of metrics -->)/

/**
 * @param {string} page
 * @param {readonly { name: string, kind: string, labels: readonly string[], help: string }[]} metrics
 */
export const withMetricsTable = (page, metrics) =>
  page.replace(
    METRICS,
    (_, begin, end) => `${begin}| metric | kind | labels | what it is |
| --- | --- | --- | --- |
${metrics.map(({ name, kind, labels, help }) => `| \`${name}\` | ${kind} | ${labels.map(label => `\`${label}\``).join(', ')} | ${help} |`).join('\n')}
${end}`,
  )

if (process.argv[1] === import.meta.filename) {
  build()
  const { describeConfig } = await import('../dist/wiring/config/load-config.js')
  writeFileSync(join(projectFolder, 'docs', 'configuration.md'), configurationPage(describeConfig()))
  const { DRIVER_METRICS } = await import('../dist/observe/driver-metrics.js')
  const { LIVE_METRICS } = await import('../dist/observe/live-metrics.js')
  const monitoring = join(projectFolder, 'docs', 'monitoring.md')
  writeFileSync(monitoring, withMetricsTable(readFileSync(monitoring, 'utf8'), [...DRIVER_METRICS, ...LIVE_METRICS]))
}
