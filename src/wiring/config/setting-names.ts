import { NAMED_STORE_FIELDS, SETTINGS, type Setting, type SettingName } from './config.ts'

/** `stores.archive.root`. */
export type StoreSettingName = `stores.${string}.${string}`
/** Dotted name of a value, those of named stores among them. */
export type KnownName = SettingName | StoreSettingName

/** All names but those of named stores, which are the user's own. */
export const NAMES = Object.keys(SETTINGS) as readonly SettingName[]
/** What may be said of a named store. */
export const STORE_FIELDS = Object.keys(NAMED_STORE_FIELDS) as readonly (keyof typeof NAMED_STORE_FIELDS)[]

const STORE_SETTING = new RegExp(`^stores\\.([a-z][a-z0-9-]*)\\.(${STORE_FIELDS.join('|')})$`)

/** Whether a name is that of a value of a named store. */
export const isStoreSetting = (name: string): name is StoreSettingName => STORE_SETTING.test(name)

/** How the value with this name is read, and what it is for. */
export const settingOf = (name: KnownName): Setting<unknown> => {
  const field = STORE_FIELDS.find(each => each === STORE_SETTING.exec(name)?.[2])
  return field === undefined ? SETTINGS[name as SettingName] : NAMED_STORE_FIELDS[field]
}

const shouted = (name: string): string =>
  name
    .replaceAll('.', '_')
    .replaceAll(/[A-Z]/g, letter => `_${letter}`)
    .toUpperCase()

/** `MILLRACE_KAFKA_BROKERS` for `kafka.brokers`. */
export const variableOf = (name: string): string => `MILLRACE_${shouted(name)}`

/** `stores.archive.root` for `MILLRACE_STORES_ARCHIVE_ROOT`; `null` for what is no variable of a named store. */
export const storeSettingOf = (variable: string): StoreSettingName | null => {
  for (const field of STORE_FIELDS) {
    const store = new RegExp(`^MILLRACE_STORES_([A-Z0-9_]+)_${shouted(field)}$`).exec(variable)?.[1]
    const name = `stores.${store?.toLowerCase().replaceAll('_', '-')}.${field}`
    if (store !== undefined && isStoreSetting(name)) return name
  }
  return null
}
