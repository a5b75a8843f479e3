import type { JsonValue } from '../base/json.ts'

/** What differs between two shapes of a plan, a line each: `branches[0].aggregation.window.sizeMs: 10000 became 60000`. */
export const shapeDifferences = (before: JsonValue, after: JsonValue, path = ''): readonly string[] => {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap(name =>
      shapeDifferences(before[name] ?? null, after[name] ?? null, path === '' ? name : `${path}.${name}`),
    )
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    return Array.from({ length }, (_, at) => at).flatMap(at =>
      shapeDifferences(before[at] ?? null, after[at] ?? null, `${path}[${at}]`),
    )
  }
  return before === after ? [] : [`${path}: ${brief(before)} became ${brief(after)}`]
}

const isObject = (value: JsonValue): value is { readonly [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const brief = (value: JsonValue): string => {
  if (value === null) return 'nothing'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
