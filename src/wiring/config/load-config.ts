import { readFile } from 'node:fs/promises'
import { MillraceError } from '../../base/errors.ts'
import { nearestName } from '../../base/nearest-name.ts'
import { type Config, NAMED_STORE_FIELDS, type NamedStore, SETTINGS, type Setting } from './config.ts'
import {
  isStoreSetting,
  type KnownName,
  NAMES,
  STORE_FIELDS,
  settingOf,
  storeSettingOf,
  variableOf,
} from './setting-names.ts'

/** Where values may come from, the later over the earlier: defaults, file, environment, command line. */
export interface ConfigInput {
  /** A JSON file. */
  readonly file?: string
  /** `MILLRACE_KAFKA_BROKERS` stands for `kafka.brokers`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** `key=value`, as `--set` takes them. */
  readonly set: readonly string[]
}

export interface LoadedConfig {
  readonly config: Config
  /** Where each value came from, by dotted name: `default`, `file …`, `environment …`, `command line`. */
  readonly origins: ReadonlyMap<KnownName, string>
  readonly values: ReadonlyMap<KnownName, unknown>
}

interface Given {
  readonly name: string
  readonly value: unknown
  readonly origin: string
}

/** Variables of ours that are no configuration. */
const OTHER_VARIABLES = new Set(['MILLRACE_CACHE'])

const invalid = (message: string, remedy: string): MillraceError =>
  new MillraceError('INVALID_CONFIG', message, { remedy })

/** @throws INVALID_CONFIG naming the value, where it came from, and what would do */
export const loadConfig = async (input: ConfigInput): Promise<LoadedConfig> => {
  const given = [
    ...(input.file === undefined ? [] : await fromFile(input.file)),
    ...fromEnvironment(input.env),
    ...input.set.map(fromFlag),
  ]
  const values = new Map<KnownName, unknown>()
  const origins = new Map<KnownName, string>()
  for (const name of NAMES) {
    values.set(name, parse({ name, value: SETTINGS[name].fallback, origin: 'default' }))
    origins.set(name, 'default')
  }
  for (const each of given) {
    const name = knownName(each)
    values.set(name, parse(each))
    origins.set(name, each.origin)
  }
  return { config: nested(values), origins, values }
}

const knownName = ({ name, origin }: Given): KnownName => {
  if (isStoreSetting(name)) return name
  const known = NAMES.find(each => each === name)
  if (known !== undefined) return known
  const nearest = nearestName(name, NAMES)
  throw invalid(
    `there is no configuration value ${JSON.stringify(name)} (${origin})`,
    nearest === null
      ? 'See `millrace config` for all of them.'
      : `Did you mean ${nearest}? See \`millrace config\` for all of them.`,
  )
}

const parse = (given: Given): unknown => {
  const result = settingOf(knownName(given)).parse.safeParse(given.value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  // an address may hold a password
  const shown = isSecret(given.name)
    ? 'what was given'
    : JSON.stringify(given.value)?.replaceAll(/\/\/[^/@"]*@/g, '//…@')
  throw invalid(`${given.name} can't be ${shown} (${given.origin})`, `${issue?.message ?? 'It is not valid'}.`)
}

/** Whether a value must not be printed. */
export const isSecret = (name: string): boolean => {
  const settings: Readonly<Record<string, { readonly secret?: true }>> = SETTINGS
  return Object.hasOwn(settings, name) && settings[name]?.secret === true
}

const fromFile = async (file: string): Promise<readonly Given[]> => {
  const origin = `file ${file}`
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw invalid(`the configuration in ${file} can't be read: ${whyNot(cause)}`, 'Give the path of a JSON file.')
  }
  if (!isSection(content))
    throw invalid(`the configuration in ${file} is no object`, 'Write { "kafka": { "brokers": […] } }.')
  return flattened(content, '', origin)
}

/** What is wrong with a file; a parser's own words repeat some of what it read, which may be a secret. */
const whyNot = (cause: unknown): string => {
  if (!(cause instanceof SyntaxError)) return cause instanceof Error ? cause.message : String(cause)
  const position = /position (\d+)/.exec(cause.message)?.[1]
  return position === undefined ? 'it is not JSON' : `it is not JSON, from character ${position} on`
}

const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Sections may be nested or written with dots. */
const flattened = (section: Readonly<Record<string, unknown>>, path: string, origin: string): readonly Given[] =>
  Object.entries(section).flatMap(([key, value]): readonly Given[] =>
    isSection(value) ? flattened(value, `${path}${key}.`, origin) : [{ name: path + key, value, origin }],
  )

const fromEnvironment = (env: ConfigInput['env']): readonly Given[] =>
  Object.entries(env).flatMap(([variable, value]) => {
    if (!variable.startsWith('MILLRACE_') || OTHER_VARIABLES.has(variable)) return []
    const name = NAMES.find(each => variableOf(each) === variable) ?? storeSettingOf(variable)
    if (name !== null) return [{ name, value, origin: `environment ${variable}` }]
    const nearest = nearestName(variable, NAMES.map(variableOf))
    throw invalid(
      `there is no configuration value for the environment variable ${variable}`,
      nearest === null ? 'Unset it; `millrace config` lists all values.' : `Did you mean ${nearest}?`,
    )
  })

const fromFlag = (flag: string): Given => {
  const at = flag.indexOf('=')
  if (at < 1)
    // what was given is not repeated: it may be a secret
    throw invalid('--set takes key=value, and what was given has no key', 'Write --set kafka.brokers=host:9092.')
  return { name: flag.slice(0, at), value: flag.slice(at + 1), origin: 'command line' }
}

const nested = (values: ReadonlyMap<KnownName, unknown>): Config => {
  const stores = new Map<string, NamedStore>()
  const top = new Map<string, unknown>()
  const sections = new Map<string, Map<string, unknown>>()
  for (const [name, value] of values) {
    const [first = '', second, third] = name.split('.')
    if (second !== undefined && third !== undefined) {
      stores.set(second, Object.freeze({ ...stores.get(second), [third]: value }))
    } else if (second === undefined) top.set(first, value)
    else sections.set(first, (sections.get(first) ?? new Map<string, unknown>()).set(second, value))
  }
  top.set('stores', Object.freeze(Object.fromEntries(stores)))
  for (const [name, section] of sections) top.set(name, Object.freeze(Object.fromEntries(section)))
  return Object.freeze(Object.fromEntries(top)) as unknown as Config
}

/** What there is to know of a value without its value. */
export interface DescribedSetting {
  readonly name: string
  readonly variable: string
  readonly fallback: string
  readonly about: string
}

/** All values with their defaults and what they are for, in their order: the source of `docs/configuration.md`. */
export const describeConfig = (): readonly DescribedSetting[] => [
  ...NAMES.map(name => described(name, variableOf(name), SETTINGS[name])),
  ...STORE_FIELDS.map(field =>
    described(`stores.<name>.${field}`, variableOf(`stores.<name>.${field}`), {
      ...NAMED_STORE_FIELDS[field],
      fallback: field === 'root' ? '' : `s3.${field}`,
    }),
  ),
]

/** What a value is for. */
export const aboutSetting = (name: KnownName): string => settingOf(name).about

const described = (name: string, variable: string, { fallback, about }: Setting<unknown>): DescribedSetting => {
  const shown = Array.isArray(fallback) ? fallback.join(',') : fallback === null ? 'none' : String(fallback)
  return { name, variable, fallback: shown, about }
}
