import type { Field } from '../../columnar/schema.ts'

/** Folder of rows without a value, as Hive names it. */
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__'
const DAY_MS = 86_400_000

/**
 * The value that a key's folder `column=value` gives a column, as builders take it.
 * @throws TypeError where there is no such folder, or its value is not of the type
 */
export const folderValue = (key: string, { name, type }: Field): unknown => {
  const folder = key.split('/').find(part => part.startsWith(`${name}=`))
  if (folder === undefined) throw new TypeError(`it does not lie in a folder ${name}=…`)
  const written = folder.slice(name.length + 1)
  if (written === NULL_FOLDER) return null
  const text = decodeURIComponent(written)
  switch (type) {
    case 'int32':
      return Number(text)
    case 'int64':
      return BigInt(text)
    case 'bool':
      return text === 'true'
    case 'date':
      return /^-?\d+$/.test(text) ? Number(text) : Date.parse(`${text}T00:00:00Z`) / DAY_MS
    case 'timestamp':
      return /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
    default:
      return text
  }
}
