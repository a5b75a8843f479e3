// Writes docs/configuration.md from the configuration's own schema: node scripts/docs.mjs
import { writeFileSync } from 'node:fs'
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

if (process.argv[1] === import.meta.filename) {
  build()
  const { describeConfig } = await import('../dist/wiring/config/load-config.js')
  writeFileSync(join(projectFolder, 'docs', 'configuration.md'), configurationPage(describeConfig()))
}
