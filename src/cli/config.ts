import { Command } from 'commander'
import { textTable } from '../base/text-table.ts'
import { aboutSetting, isSecret, loadConfig } from '../wiring/config/load-config.ts'
import { configInput, type SettingsFlags, withSettings } from './settings.ts'

/** `millrace config`: every value of the configuration, where it comes from, and what it is for. */
export const configCommand = (): Command =>
  withSettings(new Command('config'))
    .description('Show every value of the configuration and where it comes from.')
    .action(async (flags: SettingsFlags) => {
      const { values, origins } = await loadConfig(configInput(flags))
      const rows = [...values].map(([name, given]) => {
        const value = shown(name, given)
        return { name, value, origin: origins.get(name) ?? '', about: aboutSetting(name) }
      })
      const text =
        flags.json === true
          ? `${JSON.stringify(rows)}\n`
          : textTable(
              ['name', 'value', 'from', 'what it is for'].map(name => ({ name, align: 'left' as const })),
              rows.map(({ name, value, origin, about }) => [name, String(value ?? 'none'), origin, about]),
              120,
            )
      process.stdout.write(text)
    })

/** Secrets are only said to be there; an address is shown as it is written. */
const shown = (name: string, value: unknown): unknown => {
  if (value === null || value === undefined) return null
  if (isSecret(name)) return '(secret)'
  if (typeof value !== 'object' || !('host' in value && 'port' in value)) return value
  return `${String(value.host)}:${String(value.port)}`
}
